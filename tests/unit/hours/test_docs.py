"""What docs/hours.md shows can be written just so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.config.units import Written
from engine.flow.steps import read_step
from engine.hours.written import CalendarsFile
from engine.identity.groups import AreasFile
from engine.orders.lists import ListsFile

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = ("hours.md", "hours.zh-CN.md")
FILES: dict[str, type[Written]] = {
    "dialplan/calendars.yaml": CalendarsFile,
    "dialplan/areas.yaml": AreasFile,
    "dialplan/lists.yaml": ListsFile,
}


def examples(page: str) -> list[tuple[str, Any]]:
    """What each block of YAML says that it is, and what is in it."""
    blocks = re.findall(r"```yaml\n# ([^\n]+)\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    return [(name, yaml.safe_load(text)) for name, text in blocks]


@pytest.mark.parametrize("page", PAGES)
def test_every_example_is_valid(page: str) -> None:
    for name, data in examples(page):
        if name == "a step":
            for step in data.values():
                assert read_step(step)
        else:
            assert FILES[name].model_validate(data)


def test_both_languages_show_the_same() -> None:
    english, chinese = (examples(page) for page in PAGES)
    assert english == chinese
    assert sorted(name for name, _ in english) == sorted([*FILES, *["a step"] * 4])
