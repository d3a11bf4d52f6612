"""Every AGI line that an admin may copy, from the pages, the scripts' own words and the examples, is understood."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.asterisk import agi_errand, agi_scripts
from engine.asterisk.agi_session import Session
from engine.asterisk.dialplan import Reader, step_from
from engine.flow.steps import Next, Step
from engine.identity.numbers import normalise
from tests.unit.fake_asterisk import SHIPPED
from tests.unit.flow.scripted import PROJECT, default_site

LINE = re.compile(r"AGI\(\$\{AGI\}/(\w+)((?:,(?:[^()\s]|\$\{[^}]*\}|\([^()]*\))*)*)\)")
PAGES = ("docs/agi.md", "docs/agi.zh-CN.md")
PLACES = [PROJECT / page for page in PAGES]
PLACES += [*SHIPPED.glob("*.py"), *(PROJECT / "dialplan").rglob("*.conf")]

# Of the page on how to write one, and one that runs no step.
NOT_STEPS = {"branch", "mailbox"}


def lines() -> Iterator[tuple[str, str]]:
    """A script and its arguments, as they are written somewhere."""
    for place in PLACES:
        for name, arguments in LINE.findall(place.read_text()):
            yield name, arguments.removeprefix(",")


def test_every_script_is_on_both_pages() -> None:
    for page in PAGES:
        there = {name for name, _ in LINE.findall((PROJECT / page).read_text())}
        assert {path.stem for path in SHIPPED.glob("*.py")} <= there, page


@pytest.mark.parametrize(("name", "written"), sorted({line for line in lines() if line[0] not in NOT_STEPS}))
async def test_a_line_that_is_written_down_is_understood(
    name: str, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = agi_scripts.load(SHIPPED)[name]
    assert run is not None
    meant: list[Step] = []

    def understand(kind: str, arguments: Sequence[str], readers: dict[str, Reader] | None = None) -> Next:
        if "/" not in arguments[0]:  # those of a step are looked at by `hotline check`
            meant.append(step_from(kind, arguments, default_site(), readers))
        return Next(None, "ok")

    async def perform(session: Any, kind: str, *, default: str = "", readers: Any = None) -> Next:
        return understand(kind, session.arguments or (default,), readers)

    async def send(session: Any, kind: str) -> None:
        understand(kind, session.arguments)

    async def set_variable(*_: str) -> None:
        pass

    monkeypatch.setitem(run.__globals__, "perform", perform)
    monkeypatch.setattr(agi_errand, "send", send)
    # What the dialplan puts in place of a variable of its own.
    arguments = tuple(re.sub(r"\$\{.*\}", "0", written).split(",")) if written else ()
    caller = normalise("13800138000")
    await run(cast(Session, SimpleNamespace(arguments=arguments, caller=caller, set_variable=set_variable)))
    assert meant or "/" in written
