from pathlib import Path

from engine.identity import schema

FILE = Path(__file__).resolve().parents[3] / "docs/identity.schema.json"


def test_the_schema_file_is_what_the_models_say() -> None:
    assert FILE.read_text(encoding="utf-8") == schema.text(), (
        "the contract has changed: python -m engine.identity.schema > docs/identity.schema.json"
    )


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    described = schema.schema()
    text = FILE.read_text(encoding="utf-8")
    for name in described["$defs"]:
        assert f"#/$defs/{name}" in text
    assert {"Request", "Reply"} <= described["$defs"].keys()
