"""docs/queues.md: what it shows is a site that can be used as it stands; it names every setting, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.config.agents import Agent
from engine.config.queues import Announce, Kind, Queue, QueueStep
from engine.flow.steps import read_step
from tests.unit.queues.writing import PROJECT, findings

PAGES = ("queues.md", "queues.zh-CN.md")
ALLOWED = {"trunks": {"demo-carrier": {"outbound": {"allow": ["+86*"], "caller_id": "4008001234"}}}}


def text(page: str) -> str:
    return (PROJECT / "docs" / page).read_text(encoding="utf-8")


def examples(page: str) -> list[tuple[str, Any]]:
    """What each block of YAML says that it is, and what is in it."""
    blocks = re.findall(r"```yaml\n# ([^\n]+)\n(.*?)```", text(page), re.DOTALL)
    return [(name, yaml.safe_load(block)) for name, block in blocks]


def merged(page: str, file: str) -> dict[str, Any]:
    """All that the page shows of a file."""
    found: dict[str, Any] = {}
    for name, data in examples(page):
        if name == f"dialplan/{file}.yaml":
            for key, part in data.items():
                found.setdefault(key, {}).update(part)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_what_is_shown_is_a_site_that_can_be_used(page: str, tmp_path: Path) -> None:
    queues, agents, flow = (merged(page, file) for file in ("queues", "agents", "flows/main"))
    found = findings(
        tmp_path,
        queues["queues"],
        kinds=queues["kinds"],
        agents=agents["agents"],
        steps=flow["steps"],
        hotline=ALLOWED,
    )
    assert found == []


@pytest.mark.parametrize("page", PAGES)
def test_the_step_that_is_shown_is_one(page: str) -> None:
    ((name, step),) = [pair for where, data in examples(page) if where == "a step" for pair in data.items()]
    assert read_step(step).queues() == [name]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("model", [Queue, QueueStep, Announce, Kind, Agent])
def test_every_setting_is_named(model: Any, page: str) -> None:
    assert [name for name in model.model_fields if not re.search(rf"\b{name}\b", text(page))] == []


def test_both_languages_show_the_same() -> None:
    english, chinese = (examples(page) for page in PAGES)
    assert english == chinese
