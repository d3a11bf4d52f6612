"""What docs/identity.md shows is what the hotline understands, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from engine.config.models import HotlineFile, IdentitySettings
from engine.flow.steps import read_step
from engine.identity.contract import Reply, Request

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = ["identity.md", "identity.zh-CN.md"]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def written(page: str) -> list[dict[str, Any]]:
    return [yaml.safe_load(block) for block in blocks(page, "yaml")]


@pytest.mark.parametrize("page", PAGES)
def test_the_messages_shown_are_those_of_the_contract(page: str) -> None:
    caller, member, answer = blocks(page, "json")
    for shown in (caller, member):
        request = Request.model_validate_json(shown)
        assert orjson.loads(request.model_dump_json(exclude_none=True)) == orjson.loads(shown)
    reply = Reply.model_validate_json(answer)
    assert orjson.loads(reply.model_dump_json(exclude_unset=True)) == orjson.loads(answer)


@pytest.mark.parametrize("page", PAGES)
def test_the_settings_and_steps_shown_can_be_written(page: str) -> None:
    settings, verify, http, trunks = written(page)
    assert IdentitySettings.model_validate(settings["identity"]) == IdentitySettings(
        url="https://crm.example.com/hotline", secret_file="/etc/hotline/identity.secret"
    ), "the page shows other defaults than there are"
    for step in (*verify.values(), *http.values()):
        read_step(step)
    HotlineFile.model_validate({"company": "x", "numbers": {"4008001234": {"flow": "main"}}, **trunks})


def test_both_pages_show_the_same() -> None:
    english, chinese = PAGES
    assert blocks(english, "json") == blocks(chinese, "json")
    assert written(english) == written(chinese)
    headings = [re.findall(r"^#+", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE) for page in PAGES]
    assert headings[0] == headings[1]
