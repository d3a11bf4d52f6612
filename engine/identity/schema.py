"""`python -m engine.identity.schema > docs/identity.schema.json`: the contract as JSON Schema (draft 2020-12)."""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic.json_schema import models_json_schema

from engine.identity.contract import VERSION, Reply, Request


def schema() -> dict[str, Any]:
    """Both messages under `$defs`: `Request` is what the hotline posts, `Reply` what it understands."""
    _, defined = models_json_schema([(Request, "serialization"), (Reply, "validation")])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"The identity endpoint of Hotline, version {VERSION}",
        "description": "A Request is answered by a Reply; docs/identity.md says what each does.",
        "anyOf": [{"$ref": "#/$defs/Request"}, {"$ref": "#/$defs/Reply"}],
        "$defs": defined["$defs"],
    }


def text() -> str:
    """The file's content."""
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
