"""Who is calling? What an answer leaves behind, and what a caller hears until it comes."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace
from typing import Any

import pytest

from engine.flow.leg import HungUp
from engine.flow.steps import read_step
from engine.identity.contract import Customer, Outcome, Route
from engine.identity.endpoint import Answer
from tests.unit.flow.scripted import Answers, ScriptedLeg, visit_of, walk
from tests.unit.nobody import services_of

KNOWN = Answer(
    Outcome.OK,
    Customer(id="C7001", name="张三", tier="VIP", attributes={"level": "gold", "verified": True, "name": "x"}),
    variables={"account_manager": "8001", "balance": 12.5, "customer.id": "C0", "language": "en"},
    ms=12,
)
LOOKUP = read_step({"lookup": "caller"})


async def test_what_an_answer_told_is_the_flows_to_use() -> None:
    walked = await walk([], {"who": {"lookup": "caller"}}, services=services_of(identity=Answers(KNOWN)))
    told = {name: value for name, value in walked.variables.items() if name.startswith(("customer.", "acc", "bal"))}
    assert told == {
        "customer.id": "C7001",
        "customer.name": "张三",
        "customer.tier": "VIP",
        "customer.level": "gold",
        "account_manager": "8001",
        "balance": 12.5,
    }
    assert walked.leg.language == "en"
    assert [kind for kind, _ in walked.notes if kind in ("lookup.started", "lookup.finished", "call.identified")] == [
        "lookup.started",
        "lookup.finished",
        "call.identified",
    ]


async def test_another_customer_inherits_nothing() -> None:
    before: dict[str, Any] = {"customer.id": "C1", "customer.level": "gold", "customer.verified": True, "order": "7"}
    other = Answer(Outcome.OK, Customer(id="C2", name="李四"))
    walked = await walk([], {"who": {"lookup": "caller"}}, services=services_of(identity=Answers(other)), **before)
    told = {name: value for name, value in walked.variables.items() if name.startswith("customer.")}
    assert told == {"customer.id": "C2", "customer.name": "李四", "customer.tier": ""}
    assert walked.variables["order"] == "7"


@pytest.mark.parametrize("outcome", ["not_found", "timeout", "unavailable", "invalid"])
async def test_no_answer_takes_away_nothing(outcome: str) -> None:
    before: dict[str, Any] = {"customer.id": "C1", "customer.verified": True}
    silent = services_of(identity=Answers(Answer(Outcome(outcome))))
    walked = await walk([], {"who": {"lookup": "caller"}}, services=silent, **before)
    assert (walked.variables["customer.id"], walked.variables["customer.verified"]) == ("C1", True)


async def test_the_endpoint_is_told_what_the_flow_has_collected_and_nothing_of_ours() -> None:
    asked: dict[str, Any] = {}

    class Listening:
        async def look_up(self, caller: Any, **question: Any) -> Answer:
            asked.update(question, number=caller.number)
            return KNOWN

    order: dict[str, Any] = {"order": "7", "customer.tier": "VIP"}
    await walk([], {"who": {"lookup": "caller"}}, services=services_of(identity=Listening()), **order)
    assert asked.pop("member", None) is None
    assert asked.pop("variables")["order"] == "7"
    assert asked == {"dialled": "4008001234", "call_id": "1abc", "number": "+8613800138000"}


async def test_the_hotline_s_own_facts_are_not_told_as_if_the_admin_had_set_them() -> None:
    told: list[dict[str, Any]] = []

    class Listening:
        async def look_up(self, caller: Any, **question: Any) -> Answer:
            told.append(question["variables"])
            return KNOWN

    walked = await walk([], {"who": {"lookup": "caller"}}, services=services_of(identity=Listening()), order="7")
    assert told == [{"order": "7"}]
    assert walked.variables["trunk"] == "demo-carrier"  # expressions still see it


@pytest.mark.parametrize(("obey", "end"), [(True, "ToQueue"), (False, "HangUp")])
async def test_a_route_is_obeyed_unless_the_step_says_no(obey: bool, end: str) -> None:
    routed = replace(KNOWN, route=Route.model_validate({"action": "queue", "target": "sales"}))
    steps = {"who": {"lookup": "caller", "obey": obey}, "end": {"hangup": "flow_hangup"}}
    walked = await walk([], steps, services=services_of(identity=Answers(routed)))
    assert type(walked.end).__name__ == end


class Musical(ScriptedLeg):
    """Says when its music begins, and may be gone by then."""

    def __init__(self, *, gone: bool = False) -> None:
        super().__init__()
        self.up = True
        self.gone = gone
        self.music_begins = asyncio.Event()

    async def hold_music(self, on: bool, music_class: str = "default") -> None:
        self.music.append(on)
        self.music_begins.set()
        if self.gone:
            raise HungUp


class Slow:
    """Answers when there is music, which is after a second, and says when it was given up."""

    def __init__(self, leg: Musical, *, ever: bool = True) -> None:
        self.leg, self.ever = leg, ever
        self.given_up = False

    async def look_up(self, *_: Any, **__: Any) -> Answer:
        try:
            await (self.leg.music_begins if self.ever else asyncio.Event()).wait()
        except asyncio.CancelledError:
            self.given_up = True
            raise
        return KNOWN


async def test_after_a_second_there_is_music_until_the_answer_comes() -> None:
    leg = Musical()
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(5):
        await LOOKUP.run(visit_of(leg, services=services_of(identity=Slow(leg))))
    assert leg.music == [True, False]
    assert asyncio.get_running_loop().time() - began >= 0.99


async def test_a_call_that_is_not_answered_rings_on_without_music() -> None:
    leg = Musical()
    leg.up = False
    looking_up = asyncio.create_task(LOOKUP.run(visit_of(leg, services=services_of(identity=Slow(leg)))))
    await asyncio.wait({looking_up}, timeout=1.2)
    assert leg.music == []
    leg.music_begins.set()
    await looking_up


async def test_a_quick_answer_comes_without_music() -> None:
    leg = Musical()
    await LOOKUP.run(visit_of(leg, services=services_of(identity=Answers(KNOWN))))
    assert leg.music == []


async def test_a_caller_who_hangs_up_ends_the_question(caplog: pytest.LogCaptureFixture) -> None:
    leg = Musical(gone=True)
    slow = Slow(leg, ever=False)
    looking_up = asyncio.create_task(LOOKUP.run(visit_of(leg, services=services_of(identity=slow))))
    async with asyncio.timeout(5):
        await leg.music_begins.wait()
    looking_up.cancel()
    await asyncio.wait({looking_up})
    assert slow.given_up
    del looking_up
    gc.collect()
    assert not caplog.records, "an exception was left lying about"


async def test_a_caller_who_left_while_the_music_began_has_hung_up() -> None:
    leg = Musical(gone=True)
    with pytest.raises(HungUp):
        async with asyncio.timeout(5):
            await LOOKUP.run(visit_of(leg, services=services_of(identity=Slow(leg))))
