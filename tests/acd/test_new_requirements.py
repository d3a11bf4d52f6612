"""A call comes with a requirement that nobody has told of before, as an identity endpoint may ask for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.acd import AgentTerms, Order
from engine.redis_line import Argument, LineDown, Sink
from tests.acd import inside
from tests.acd.desk import Desk, policy

STAFF = {f"8{n:03}": {"sales": 1 + n % 5, **({"latin": n % 9} if n % 20 == 0 else {})} for n in range(400)}


class Told:
    """The commands that go to Redis, by the verb."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commands: list[tuple[Argument, ...]] = []
        self.fails_at = ""
        call = desk.line.call

        async def noted(*command: Argument, sink: Sink | None = None) -> Any:
            if self.fails_at and self.fails_at in str(command[1]):
                raise LineDown("for the test")
            self.commands.append(command)
            return await call(*command, sink=sink)

        monkeypatch.setattr(desk.line, "call", noted)

    def verbs(self, name: str) -> list[tuple[Argument, ...]]:
        return [command for command in self.commands if str(command[1]).endswith(f"_{name}")]


async def test_who_meets_it_gets_the_call_and_nobody_else_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.acd.define({agent: AgentTerms(skills) for agent, skills in STAFF.items()}, [policy("sales")])
    for agent in ("8001", "8020"):
        await desk.ready(agent)
    told = Told(desk, monkeypatch)
    assert [offer.agent for offer in (await desk.calls("call", "latin>=2 & sales")).offers] == ["8020"]
    meet = {agent for agent, skills in STAFF.items() if skills.get("latin", 0) >= 2}
    assert {agent for command in told.verbs("step_in") for agent in command[7:]} == meet
    assert not told.verbs("define")
    assert len(told.commands) < 20


async def test_second_call_with_it_costs_one_command(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.staff({"8001": {"latin": 3}}, "any")
    await desk.calls("first", "latin>=2")
    told = Told(desk, monkeypatch)
    await desk.calls("second", "latin>=2")
    assert len(told.commands) == 1


@pytest.mark.parametrize("requirement", ["any", "!trainee", "latin<2", "latin | !trainee", "!(latin & trainee)"])
async def test_who_meets_it_by_lacking_something_gets_the_call(desk: Desk, requirement: str) -> None:
    await desk.staff({"8001": {"sales": 1}}, "sales")
    assert (await desk.calls("call", requirement)).offers


async def test_it_may_name_one_agent_beside_a_skill(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}, "8002": {"sales": 1}}, "sales")
    assert [offer.agent for offer in (await desk.calls("call", "agent:8002 & sales")).offers] == ["8002"]
    assert [offer.agent for offer in (await desk.calls("next", "latin | agent:8001")).offers] == ["8001"]


async def test_skill_that_another_engine_gave_counts(desk: Desk) -> None:
    other = Desk(desk.line, "two")
    for each in (desk, other):
        await each.staff({"8001": {}, "8002": {"latin": 3}}, "any", ready=False)
    await desk.ready("8001")
    await other.acd.skill("8001", "latin", 2)
    assert (await desk.calls("call", "latin")).offers
    await desk.acd.withdraw("call", "test")
    await other.acd.skill("8001", "latin", None)
    assert not (await desk.calls("next", "latin>=1 & !sales")).offers


async def test_new_order_of_a_known_line_has_everybody(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}, "8002": {"sales": 9}}, "sales")
    assert [o.agent for o in (await desk.calls("call", policy("sales", order=Order.MOST_PROFICIENT))).offers] == [
        "8002"
    ]


async def test_what_was_broken_off_half_way_is_done_by_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis was away, or the caller hung up: the line is known, and nobody stands in it yet."""
    await desk.staff({"8001": {"latin": 3}}, "any")
    told = Told(desk, monkeypatch)
    told.fails_at = "_step_in"
    with pytest.raises(LineDown):
        await desk.calls("call", "latin")
    told.fails_at = ""
    assert (await desk.calls("call", "latin")).offers


async def test_requirements_that_two_engines_bring_in_at_once_are_both_kept(desk: Desk) -> None:
    other = Desk(desk.line, "two")
    staff = {f"80{n:02}": {"latin": 1, "greek": 1} for n in range(40)}
    for each in (desk, other):
        await each.staff(staff, "any", ready=False)
    await asyncio.gather(desk.acd.intern(policy("latin")), other.acd.intern(policy("greek")))
    found = await inside.look(desk.line)
    lines = [name for name, members in found.items() if name.startswith("members:") and len(members) == 40]
    assert len(lines) == 3
