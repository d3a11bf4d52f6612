"""docs/items.md and docs/supervisor.md: every request of theirs is there, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import yaml

from engine.api.agents import agent_routes
from engine.api.items import item_routes
from engine.api.queues import queue_routes
from engine.api.supervision import supervision_routes
from engine.app import Engine
from engine.config.queues import QueuesFile

DOCS = Path(__file__).resolve().parents[2] / "docs"
LANGUAGES = ("", ".zh-CN")


def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_request_is_documented_and_no_other(language: str) -> None:
    engine = cast(Engine, SimpleNamespace())
    parts = (item_routes, supervision_routes, agent_routes, queue_routes)
    there = {f"{route.method} {route.path}" for part in parts for route in part(engine)}
    pages = text(f"items{language}.md") + text(f"supervisor{language}.md")
    assert set(re.findall(r"`((?:GET|POST|DELETE) /v1/[^`?]+)`", pages)) == there


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_queue_that_is_shown_is_one(language: str) -> None:
    (block,) = re.findall(r"```yaml\n# dialplan/queues.yaml\n(.*?)```", text(f"items{language}.md"), re.DOTALL)
    queue = QueuesFile.model_validate(yaml.safe_load(block)).queues["mail"]
    assert (queue.kind, queue.max_wait) == ("email", 2 * 86_400)
