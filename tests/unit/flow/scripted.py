"""A caller who plays their part from a script, and a walk through flows with them; the telephone itself is
tests/e2e's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from engine.config.site import Site, load
from engine.flow.digits import Digits
from engine.flow.flow import Flow
from engine.flow.leg import ANY_KEY, Recorded
from engine.flow.runner import Walk
from engine.flow.services import Services
from engine.flow.steps import Departure
from engine.flow.visit import Visit, caller_facts
from engine.identity.endpoint import Answer
from engine.identity.numbers import Caller, normalise
from tests.unit.nobody import services_of

PROJECT = Path(__file__).resolve().parents[3]


@cache
def default_site() -> Site:
    """The site that comes with the project."""
    return load(PROJECT)


class ScriptedLeg:
    """Presses the next of `keys` whenever a step waits for one; "" is a caller who waits too long."""

    def __init__(self, keys: Sequence[str] = (), language: str = "en") -> None:
        self.keys = list(keys)
        self.language = language
        self.digits = Digits(clock=iter(range(10**9)).__next__)
        self.up = False
        self.heard: list[str] = []
        self.music: list[bool] = []
        self.ended: int | None = None

    async def answer(self) -> None:
        self.up = True

    async def play(self, prompts: Sequence[str], *, stops: str = ANY_KEY) -> bool:
        if self.digits.any_of(stops):
            return False
        self.heard += prompts
        return True

    async def digit(self, timeout_s: float) -> str | None:
        if self.digits:
            return self.digits.take()
        return (self.keys.pop(0) or None) if self.keys else None

    async def hold_music(self, on: bool, music_class: str = "default") -> None:
        self.music.append(on)

    async def record(self, file: Path, *, longest_s: float, silence_s: float, stops: str = "#") -> Recorded:
        return Recorded(file, longest_s)

    async def hang_up(self, cause: int = 16) -> None:
        self.ended = cause


@dataclass
class Answers:
    """An identity endpoint that says what it was told to say."""

    answer: Answer

    async def look_up(self, *_: Any, **__: Any) -> Answer:
        return self.answer


@dataclass
class Walked:
    """How a walk through the flows went."""

    end: Departure
    leg: ScriptedLeg
    visit: Visit
    entered: list[str] = field(default_factory=list)
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def variables(self) -> Mapping[str, Any]:
        return self.visit.variables


def visit_of(
    leg: ScriptedLeg,
    *,
    services: Services | None = None,
    site: Site | None = None,
    caller: Caller | None = None,
    note: Callable[..., None] = lambda *_, **__: None,
    **variables: Any,
) -> Visit:
    """A visit on a leg; `variables` are those that the call has already."""
    caller = caller or normalise("13800138000")
    facts = caller_facts(caller, dialled="4008001234", trunk="demo-carrier")
    return Visit(
        leg=leg,
        site=site or default_site(),
        services=services or services_of(),
        note=note,
        caller=caller,
        call_id="1abc",
        dialled="4008001234",
        variables={**facts, **variables},
    )


async def walk(
    keys: Sequence[str],
    steps: Mapping[str, Any],
    *,
    others: Mapping[str, Mapping[str, Any]] | None = None,
    services: Services | None = None,
    site: Site | None = None,
    caller: Caller | None = None,
    values: Mapping[str, Any] | None = None,
    **variables: Any,
) -> Walked:
    """Walks a caller who presses `keys` through the flow `main` made of `steps`; `others`: further flows."""
    flows = {name: Flow.model_validate({"steps": s}) for name, s in {"main": steps, **(others or {})}.items()}
    leg = ScriptedLeg(keys)
    notes: list[tuple[str, dict[str, Any]]] = []
    visit = visit_of(
        leg,
        services=services,
        site=replace(site or default_site(), flows=flows),
        caller=caller,
        note=lambda event, /, **payload: notes.append((event.TYPE, payload)),
        **{**(values or {}), **variables},
    )
    entered: list[str] = []
    way = Walk(flows, "main", on_enter=lambda: entered.append(f"{way.flow}/{way.step}"))
    return Walked(await way.onward(visit), leg, visit, entered, notes)
