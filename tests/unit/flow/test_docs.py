"""docs/flows.md: what it shows can be used as it stands, and it shows every step, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.flow.flow import Flow
from engine.flow.steps import KINDS, read_step
from engine.simulator.trials import TestsFile

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = ["flows.md", "flows.zh-CN.md"]


def sections(page: str) -> dict[str, str]:
    """By their headings; of a step's, its kind."""
    _, *parts = re.split(r"^#{1,3} (.*)$", (DOCS / page).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def examples(text: str) -> list[Any]:
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)]


def example_of(kind: str) -> str:
    """At the top of the step's own file."""
    module = __import__(KINDS[kind].__module__, fromlist=["__doc__"])
    return str(module.__doc__).partition("\n\n")[2].strip()


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_at_the_top_of_a_steps_file_is_such_a_step(kind: str) -> None:
    ((_, written),) = yaml.safe_load(example_of(kind)).items()
    assert read_step(written).kind == kind


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_step_has_its_section_with_that_example(kind: str, page: str) -> None:
    assert f"```yaml\n{example_of(kind)}\n```" in sections(page)[kind]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_setting_and_each_outcome_is_named(kind: str, page: str) -> None:
    step, text = KINDS[kind], sections(page)[kind]
    settings = {field.alias or name for name, field in step.model_fields.items()} - {"when", "then"}
    missing = [name for name in (*settings, *step.outcomes) if not re.search(rf"\b{name}\b", text)]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_the_flow_and_the_test_that_are_shown_can_be_read(page: str) -> None:
    everything = examples((DOCS / page).read_text())
    (flow,) = [Flow.model_validate(example) for example in everything if "steps" in example]
    (calls,) = [TestsFile.model_validate(example) for example in everything if "calls" in example]
    assert flow.first == "greet"
    assert calls.calls


def test_both_languages_have_the_same_examples() -> None:
    english, chinese = (examples((DOCS / page).read_text()) for page in PAGES)
    assert len(english) == len(chinese)
    assert [e for e in english if "calls" not in e] == [c for c in chinese if "calls" not in c]
