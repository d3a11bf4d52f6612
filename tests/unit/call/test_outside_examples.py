"""The examples of docs/trunks.md and of the steps' own files are what they say they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.config.models import HotlineFile
from engine.flow.steps import extension, number, read_step

PAGES = [Path(__file__).resolve().parents[3] / "docs" / name for name in ("trunks.md", "trunks.zh-CN.md")]


def blocks(page: Path) -> list[dict[str, Any]]:
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_of_the_page_can_be_read(page: Path) -> None:
    found = blocks(page)
    assert found == blocks(PAGES[0]), "the two languages show different examples"
    hotline: dict[str, Any] = {"company": "晨星", "numbers": {"4008001234": {"flow": "main"}}}
    steps: dict[str, Any] = {}
    for block in found:
        if block.keys() & {"trunks", "branches"}:
            hotline |= block
        else:
            steps |= block
    assert HotlineFile.model_validate(hotline).branches["802"].number
    assert {read_step(step).kind for step in steps.values()} == {"number", "extension"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_outcome_of_both_steps_is_on_the_page(page: Path) -> None:
    said = set(re.findall(r"`([a-z_]+)`", page.read_text()))
    assert said >= {*number.Number.outcomes, *extension.Extension.outcomes}


@pytest.mark.parametrize("of", [number, extension], ids=lambda of: of.__name__)
def test_the_example_above_a_step_can_be_read(of: Any) -> None:
    (example,) = yaml.safe_load(of.__doc__.partition("\n\n")[2]).values()
    assert read_step(example).kind in of.__name__
