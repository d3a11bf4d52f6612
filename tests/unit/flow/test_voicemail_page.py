"""docs/voicemail.md: what it shows can be used as it stands, in both languages."""

from __future__ import annotations

import inspect
import re
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from engine.cli.main import app
from engine.config.models import HotlineFile, MessagesSettings
from engine.flow.flow import Flow
from engine.flow.steps import KINDS
from engine.messages import courier

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = ("voicemail.md", "voicemail.zh-CN.md")
HOTLINE: dict[str, Any] = {"company": "x", "numbers": {"4008001234": {"flow": "main"}}}


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


def examples(page: str) -> list[Any]:
    return [yaml.safe_load(block) for block in blocks(page, "yaml")]


@pytest.mark.parametrize("page", PAGES)
def test_every_example_can_be_written_just_so(page: str) -> None:
    for example in examples(page):
        if "steps" in example:
            flow = Flow.model_validate(example)
            assert {target for _, step in flow for _, target in step.targets()} <= set(flow.steps)
        else:
            assert HotlineFile.model_validate(HOTLINE | example)


def test_both_languages_show_the_same() -> None:
    english, chinese = (examples(page) for page in PAGES)
    assert english == chinese
    assert len(english) == 5


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("kind", ["voicemail", "callback", "survey", "message"])
def test_every_setting_and_outcome_is_named(kind: str, page: str) -> None:
    text, step = (DOCS / page).read_text(), KINDS[kind]
    names = {*step.model_fields, *step.outcomes} - {"when", "then"}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_settings_of_messages_and_their_json_are_those_of_the_code(page: str) -> None:
    text = (DOCS / page).read_text()
    assert all(f"`messages.{name}`" in text for name in MessagesSettings.model_fields)
    (shown,) = re.findall(r'\{"version": 1.*?\}', text, re.DOTALL)
    written = inspect.getsource(courier.Courier._post)
    assert set(yaml.safe_load(shown)) == set(re.findall(r'"([a-z_]+)":', written))


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_is_shown_exists(page: str) -> None:
    lines = [line.split("#")[0].split() for block in blocks(page, "sh") for line in block.splitlines()]
    assert lines
    for _, *words in lines:
        names = takewhile(re.compile("[a-z]+").fullmatch, words)
        shown = CliRunner().invoke(app, [*names, "--help"], env={"COLUMNS": "200"}).output
        assert all(word in shown for word in words if word.startswith("--")), (words, shown)
