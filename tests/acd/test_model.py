"""Random histories of items, agents, engines and time: after each step Redis must stand where the model stands.

`HYPOTHESIS_PROFILE=thorough` runs thousands of longer histories (HISTORIES says how many).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from typing import Any, TypeVar

import orjson
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from engine.acd import AgentTerms, Device, Empty, Intent, Missed, Order, Policy, Step
from engine.acd.offer import OfferEvent
from engine.redis_line import RedisLine
from tests.acd import inside
from tests.acd.desk import LEASE_MS, START_MS, Desk, policy
from tests.acd.model import Model
from tests.acd.redis_server import RedisServer

T = TypeVar("T")

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
HISTORIES, STEPS = (int(os.environ.get("HISTORIES", "6000")), 60) if THOROUGH else (150, 35)
# A failing history is short enough to read; making it shorter against a real server takes minutes.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)

STAFF = {
    "8001": AgentTerms({"sales": 5, "mandarin": 5}, rank=3, weight=1),
    "8002": AgentTerms({"sales": 2}, {"voice": 1, "chat": 2}, rank=2, weight=100),
    "8003": AgentTerms({"service": 4, "mandarin": 1}, {"voice": 1, "chat": 3}, rank=1, weight=10),
    "8004": AgentTerms({"sales": 3, "service": 3}, {"voice": 1, "chat": 2, "email": 5}, rank=1, weight=50),
    "8005": AgentTerms({"service": 1}, {"chat": 3}, rank=9, weight=7),
}
RELOADS = [
    STAFF,
    {id_: terms for id_, terms in STAFF.items() if id_ != "8004"},
    {**STAFF, "8002": AgentTerms({"sales": 5, "service": 1}, {"voice": 1, "chat": 1}, rank=7, weight=2)},
    {**STAFF, "8003": AgentTerms({"mandarin": 4}, {"voice": 1}, rank=1), "8005": AgentTerms({"sales": 1})},
    {**STAFF, "8001": AgentTerms({"sales": 5, "mandarin": 5}, {"voice": 0, "chat": 4})},
]
POLICIES = [
    ("sales", policy("any", wrapup_ms=0)),
    ("sales", policy("sales", ring=2)),
    ("sales", policy("sales>=3", "sales", "any", after=(5_000, 20_000), order=Order.FEWEST_CALLS, head_start_ms=5_000)),
    (
        "service",
        policy(
            "service & mandarin", "service | mandarin", after=(10_000,), capacity=2,
            leave_when=frozenset({Empty.NO_AGENTS, Empty.NONE_ELIGIBLE}),
        ),
    ),
    (
        "service",
        Policy(
            (Step(0, "sales | service", ("mandarin>=3", "sales>=3", "agent:8002")), Step(8_000, "any", ("service",))),
            LEASE_MS, 3_000, order=Order.MOST_PROFICIENT, max_wait_ms=30_000, served_within_ms=10_000,
        ),
    ),
    ("service", policy("any", order=Order.RANDOM, ring=0, max_wait_ms=15_000)),
    ("sales", policy("sales", order=Order.WEIGHTED, strict=2, served_within_ms=60_000)),
    ("chat", policy("any", kind="chat", order=Order.LEAST_OCCUPIED, wrapup_ms=3_000)),
    ("chat", policy("service", "any", after=(4_000,), kind="chat", order=Order.ROUND_ROBIN, ring=2)),
    ("chat", policy("service | sales", kind="chat", order=Order.RANDOM, wrapup_ms=0)),
    ("sales", policy("agent:8002", wrapup_ms=0, leave_when=frozenset({Empty.NONE_ELIGIBLE}))),
    (
        "post",
        policy(
            "mandarin", order=Order.LINEAR, place_kept_ms=20_000, ignored_limit=1, base="service",
            leave_when=frozenset({Empty.NO_AGENTS}),
        ),
    ),
    ("post", policy("service>=2", kind="email", order=Order.FEWEST_CALLS, lease_ms=5_000, wrapup_ms=1_000)),
    # Nobody has told Redis of the last two before an item asks for them.
    ("post", policy("sales>=5 | service>=4", order=Order.FEWEST_CALLS, wrapup_ms=0)),
    ("post", policy("service", order=Order.LEAST_OCCUPIED, place_kept_ms=60_000)),
]  # fmt: skip
KNOWN = POLICIES[:-2]

milliseconds = st.sampled_from([1, 1_000, 3_000, 5_000, 10_000, LEASE_MS, 60_000])
agents = st.sampled_from(sorted(STAFF))
engines = st.sampled_from(["one", "one", "one", "two"])
data_of = st.data()


class Histories(RuleBasedStateMachine):
    server: RedisServer
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.line = RedisLine(self.server.url)
        self.count = 0
        self.past_tokens: list[str] = []
        self.journal_read = "-"
        self.ends: dict[str, list[str]] = {}  # offers and items, by the journal -> how they ended

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize(
        interrupting=st.sampled_from([frozenset(), frozenset({"voice"})]),
        ready=st.sampled_from([True, True, True, False]),
    )
    def begins(self, interrupting: frozenset[str], ready: bool) -> None:
        self.interrupting = interrupting
        self.model = Model(START_MS, interrupting)
        for _, terms in KNOWN:
            self.model.learn(terms)
        self.model.define(STAFF)
        self.run(self._open())
        self._same()
        for agent in STAFF if ready else ():
            self.agent_changes(agent, Intent.READY, Device.IDLE, "")
            self.time_passes(1)

    async def _open(self) -> None:
        await self.line.open()
        await self.line.call("FLUSHALL")
        # The same chance each time: a history that fails must fail again when it is played again.
        await self.line.call("EVAL", "math.randomseed(1)", 0)
        self.desks = {name: Desk(self.line, name) for name in ("one", "two")}
        await self.desks["one"].acd.load()
        await self._define(STAFF)

    async def _define(self, staff: dict[str, AgentTerms]) -> None:
        known = [terms for _, terms in KNOWN]
        await self.desks["one"].acd.define(staff, known, interrupting=self.interrupting)

    def teardown(self) -> None:
        try:
            if hasattr(self, "model"):
                self._everything_ends()
        finally:
            self.run(self.line.close())

    # --- items ---------------------------------------------------------------------------------------------------

    @rule(
        n=st.integers(0, len(POLICIES) - 1),
        head_start=st.sampled_from([0, 0, 0, 5_000, 60_000]),
        preferred=st.sampled_from(["", "", "8001", "8004"]),
        patience=st.sampled_from([0, 0, 3_000, 12_000]),
        more=st.fixed_dictionaries(
            {},
            optional={
                "waited_ms": st.sampled_from([1_000, 9_000]),
                "exclude": st.sampled_from([{"8001": 4_000}, {"8002": 30_000, "8003": 1_000}, {"8004": 20_000}]),
                "closes_in_ms": st.sampled_from([0, 2_000, 25_000]),
                "hold_ms": st.sampled_from([1_000, 7_000]),
                "who": st.sampled_from(["w1", "w2"]),
            },
        ).filter(lambda more: len(more) < 3),
        data=data_of,
        engine=engines,
    )
    def item_arrives(
        self, n: int, head_start: int, preferred: str, patience: int, more: dict[str, Any], data: st.DataObject,
        engine: str,
    ) -> None:  # fmt: skip
        self.count += 1
        item, (queue, terms) = f"item-{self.count}", POLICIES[n]
        if data.draw(st.sampled_from([False, False, False, True]), label="replaces"):
            more = {**more, "replaces": self._some_item(data)}
        self._enqueue(
            item, "one" if n >= len(KNOWN) else engine, queue, terms,
            head_start_ms=head_start, preferred=preferred, patience_ms=patience, **more,
        )  # fmt: skip

    def _enqueue(self, item: str, engine: str, queue: str, terms: Policy, **asked: Any) -> None:
        placement = self.run(self.desks[engine].calls(item, terms, queue=queue, **asked))
        self._happened()
        answer = self.model.enqueue(item, engine, queue, terms, **asked)
        assert (placement.refused or placement.position) == answer
        self._same()

    @precondition(lambda self: self.model.items)
    @rule(data=data_of, engine=engines)
    def enqueue_is_repeated(self, data: st.DataObject, engine: str) -> None:
        item = self._known_item(data)
        self._enqueue(item, engine, self.model.items[item].queue, POLICIES[0][1])

    @precondition(lambda self: self.past_tokens)
    @rule(data=data_of, event=st.sampled_from([OfferEvent.RING, OfferEvent.ACCEPT, OfferEvent.ACCEPT]))
    def phone_reports(self, data: st.DataObject, event: OfferEvent) -> None:
        token = self._some_token(data)
        acd = self._desk_of(token).acd
        if event is OfferEvent.RING:
            self._both(acd.ringing(token), lambda: self.model.ringing(token))
        else:
            self._both(acd.accept(token), lambda: self.model.accept(token))

    @precondition(lambda self: self.past_tokens)
    @rule(data=data_of, reason=st.sampled_from([missed for missed in Missed if missed is not Missed.LEASE]))
    def offer_is_missed(self, data: st.DataObject, reason: Missed) -> None:
        token = self._some_token(data)
        acd = self._desk_of(token).acd
        self._both(acd.miss(token, reason, ring_ms=0), lambda: self.model.miss(token, reason))

    @precondition(lambda self: self.count)
    @rule(data=data_of, engine=engines, keep=st.booleans())
    def caller_leaves(self, data: st.DataObject, engine: str, keep: bool) -> None:
        item = self._some_item(data)
        self._both(
            self.desks[engine].acd.withdraw(item, "abandoned", keep_place=keep),
            lambda: self.model.withdraw(item, engine, "abandoned", keep),
        )

    @precondition(lambda self: any(item.state == "talking" for item in self.model.items.values()))
    @rule(data=data_of)
    def conversation_ends(self, data: st.DataObject) -> None:
        item = self._known_item(data, "talking")
        self._both(self.desks["one"].acd.leave(item, reason="completed"), lambda: self.model.leave(item))

    @precondition(lambda self: self.count)
    @rule(data=data_of, engine=engines, ms=milliseconds)
    def item_is_deferred(self, data: st.DataObject, engine: str, ms: int) -> None:
        item = self._some_item(data)
        self._both(
            self.desks[engine].acd.defer(item, ms, "dialling"), lambda: self.model.defer(item, engine, ms, "dialling")
        )

    # --- a supervisor, another engine ----------------------------------------------------------------------------

    @precondition(lambda self: self.count)
    @rule(data=data_of, agent=agents, engine=engines)
    def item_is_assigned(self, data: st.DataObject, agent: str, engine: str) -> None:
        item = self._some_item(data)
        why = self.run(self.desks[engine].acd.assign(item, agent, actor="anna"))
        self._happened()
        expected = self.model.assign(item, agent)
        assert (why == expected) if expected != "not routable" else why
        self._same()

    @precondition(lambda self: self.count)
    @rule(data=data_of, head_start=st.sampled_from([0, 30_000]), strict=st.sampled_from([0, 1, 9]))
    def item_is_reprioritised(self, data: st.DataObject, head_start: int, strict: int) -> None:
        item = self._some_item(data)
        acd = self.desks["one"].acd
        self._both(
            acd.reprioritise(item, head_start_ms=head_start, strict=strict, actor="anna"),
            lambda: self.model.reprioritise(item, head_start, strict),
        )

    @precondition(lambda self: self.count)
    @rule(data=data_of, engine=engines)
    def item_is_taken_out(self, data: st.DataObject, engine: str) -> None:
        item = self._some_item(data)
        self._both(
            self.desks[engine].acd.release(item, "moved", target="queue:service", actor="anna"),
            lambda: self.model.release(item, "moved", "queue:service"),
        )

    @rule(engine=engines, by=engines)
    def engine_is_taken_over(self, engine: str, by: str) -> None:
        self.run(self.desks[by].acd.adopt(engine))
        self._happened()
        self.model.adopt(engine, by)
        self._same()

    # --- agents --------------------------------------------------------------------------------------------------

    @rule(
        agent=agents,
        intent=st.sampled_from([Intent.READY] * 5 + [Intent.NOT_READY, Intent.LOGGED_OUT]),
        device=st.sampled_from([Device.IDLE] * 5 + [Device.BUSY, Device.DOWN]),
        reason=st.sampled_from(["", "", "lunch"]),
    )
    def agent_changes(self, agent: str, intent: Intent, device: Device, reason: str) -> None:
        self.run(self._change(agent, intent, device, reason))
        self._happened()
        self.model.agent(agent, intent, reason, device)
        self._same()

    async def _change(self, agent: str, intent: Intent, device: Device, reason: str) -> None:
        if agent in self.model.agents and not self.model.agents[agent].removed:
            await self.desks["two"].acd.agent(agent, intent=intent, device=device, reason=reason)

    @rule(agent=agents, ms=st.sampled_from([0, 0, 2_000, 30_000]))
    def wrap_up_is_changed(self, agent: str, ms: int) -> None:
        self._both(self.desks["two"].acd.wrapup(agent, ms), lambda: self.model.wrapup(agent, ms))

    @rule(
        agent=agents, name=st.sampled_from(["sales", "mandarin", "service"]), level=st.sampled_from([None, 0, 1, 5])
    )  # fmt: skip
    def agent_learns(self, agent: str, name: str, level: int | None) -> None:
        if agent not in self.model.agents or self.model.agents[agent].removed:
            return
        self.run(self.desks["one"].acd.skill(agent, name, level))
        self._happened()
        self.model.skill(agent, name, level)
        self._same()

    @rule(n=st.integers(0, len(RELOADS) - 1))
    def configuration_is_reloaded(self, n: int) -> None:
        staff = RELOADS[n]
        self.run(self._define(staff))
        self._happened()
        self.model.define(staff)
        self._same()

    # --- time ----------------------------------------------------------------------------------------------------

    @rule(ms=milliseconds)
    def time_passes(self, ms: int) -> None:
        self._clocks(ms)
        self.timers_are_handled()

    @rule(ms=st.sampled_from([1, 400, 5_000]))
    def time_passes_and_nobody_ticks(self, ms: int) -> None:
        self._clocks(ms)

    @rule()
    def timers_are_handled(self) -> None:
        while True:
            handled = self.run(self.desks["one"].acd.tick())
            self._happened()
            assert self.model.tick() == handled
            self._same()
            if not handled:
                return

    def _clocks(self, ms: int) -> None:
        self.model.now += ms
        for desk in self.desks.values():
            desk.now_ms += ms

    # --- what must hold ------------------------------------------------------------------------------------------

    def _nobody_is_ready_for_what_stands_in_line(self) -> None:
        if any(at <= self.model.now for at in self.model.timers.values()):
            return  # what the clock alone has changed, the next tick will see
        for item in self.model.items.values():
            for agent in self.model.agents.values() if item.in_line else ():
                able = item.policy.kind in agent.ready and self.model.meets(agent, item.line)
                assert not able or not self.model.fits(item, agent.id), (item, agent)

    def _both(self, asked: Coroutine[Any, Any, bool], expected: Any) -> None:
        done = self.run(asked)
        self._happened()
        assert done == expected()
        self._same()

    def _happened(self) -> None:
        """Reads the journal on: what Redis offered to whom, for what chance decided; and that every end is one."""
        entries = self.run(self.line.call("XRANGE", f"{inside.PREFIX}journal", self.journal_read, "+"))
        self.model.told, self.model.drawn, self.model.made = [], [], 0
        for id_, fields in entries:
            self.journal_read = f"({id_}"
            event = orjson.loads(fields[1])
            match event["type"]:
                case "item.enqueued":
                    self.ends[event["call"]] = []
                case "item.ended":
                    self.ends[event["call"]].append(event["reason"])
                case "offer.created":
                    self.ends[event["token"]] = []
                    self.model.drawn.append(event["agent"])
                case "offer.accepted" | "offer.missed" | "offer.cancelled":
                    self.ends[event["token"]].append(event["type"])

    def _same(self) -> None:
        """The notices of the last verb, every record and every index."""
        told = sorted(self.model.told)
        found = self.run(inside.look(self.line))
        assert sorted(self._noticed(found)) == told
        agents = {name[6:]: inside.agent_kept(found[name]) for name in found if name.startswith("agent:")}
        _alike(agents, {agent.id: inside.agent_expected(agent) for agent in self.model.agents.values()})
        now = self.model.now
        items = {name[5:]: inside.item_kept(found[name], now) for name in found if name.startswith("item:")}
        _alike(items, {item.id: inside.item_expected(item, now) for item in self.model.items.values()})
        _alike(inside.indexes(found), inside.expected(self.model))
        self._nobody_is_ready_for_what_stands_in_line()
        for item in self.model.items.values():
            assert self.ends[item.id] == [], "an item that ended is here"
            for offer in item.offers:
                assert self.ends[offer.token] == (["offer.accepted"] if offer.state == "accepted" else [])

    def _noticed(self, found: dict[str, Any]) -> list[tuple[str, ...]]:
        """Those that came back in replies, and those in the mailboxes, which are emptied."""
        told: list[tuple[str, ...]] = []
        for name, desk in self.desks.items():
            told += [(name, "offer", offer.token, offer.agent) for offer in desk.offers]
            told += [(name, "cancelled", gone.token, gone.reason) for gone in desk.cancelled]
            told += [(name, "released", gone.item, gone.reason) for gone in desk.released]
            self.past_tokens += [offer.token for offer in desk.offers]
            for heard in (desk.offers, desk.cancelled, desk.released):
                heard.clear()
            for letter in found.get(f"mailbox:{name}", []):
                kind, first, *rest = orjson.loads(letter)
                told.append((name, kind, first, {"offer": rest[1], "cancelled": rest[-1], "released": rest[0]}[kind]))
                self.past_tokens += [first] if kind == "offer" else []
            if f"mailbox:{name}" in found:
                self.run(self.line.call("DEL", f"{inside.PREFIX}mailbox:{name}"))
        return told

    def _everything_ends(self) -> None:
        """Whatever happened: nobody is stuck, every offer and item is accounted for, and nothing stays behind."""
        self.configuration_is_reloaded(0)
        for agent in STAFF:
            self.agent_changes(agent, Intent.LOGGED_OUT, Device.IDLE, "")
        self.time_passes(2 * LEASE_MS)
        for item in list(self.model.items):
            self._ends(item)
        self.time_passes(90_000)
        left = inside.leftovers(self.run(inside.look(self.line)))
        assert not left, f"left behind: {left}"
        for agent in STAFF:
            self.agent_changes(agent, Intent.READY, Device.IDLE, "")
        for state in self.run(self.desks["one"].acd.agents()):
            assert set(state.ready) == {kind for kind, most in STAFF[state.id].takes.items() if most}, f"stuck: {state}"
        for what, ends in self.ends.items():
            if what.startswith("item-"):
                assert len(ends) == 1, f"{what} ended {ends}"
            else:
                accepted, *others = sorted(ends) if "offer.accepted" in ends else ["", *ends]
                assert len(others) <= 1 and (accepted or others), f"{what} ended {ends}"

    def _ends(self, item: str) -> None:
        acd = self.desks["one"].acd
        if self.model.items[item].state == "talking":
            self._both(acd.leave(item, reason="completed"), lambda: self.model.leave(item))
        else:
            self._both(acd.withdraw(item, "over"), lambda: self.model.withdraw(item, "one", "over"))

    # --- small change ----------------------------------------------------------------------------------------------

    def _known_item(self, data: st.DataObject, state: str = "") -> str:
        known = [item.id for item in self.model.items.values() if state in {"", item.state}]
        return data.draw(st.sampled_from(known), label="item")

    def _some_item(self, data: st.DataObject) -> str:
        """Mostly one that is here, sometimes one that is gone, or has never been."""
        return data.draw(st.sampled_from([*self.model.items] * 4 + [f"item-{self.count}", "item-0"]), label="item")

    def _some_token(self, data: st.DataObject) -> str:
        """Mostly one in force, sometimes a stale one."""
        current = [offer.token for item in self.model.items.values() for offer in item.offers]
        return data.draw(st.sampled_from(current * 3 + self.past_tokens[-3:]), label="token")

    def _desk_of(self, token: str) -> Desk:
        item = self.model.items.get(token.partition("-")[2])
        return self.desks[item.engine if item else "one"]


def _alike(found: dict[str, Any], expected: dict[str, Any], path: str = "") -> None:
    """Says what differs, and nothing else."""
    differing = []
    for name in sorted(found.keys() | expected.keys()):
        here, there = found.get(name), expected.get(name)
        if here != there and isinstance(here, dict) and isinstance(there, dict):
            _alike(here, there, f"{path}{name} ")
        elif here != there:
            differing.append(f"{path}{name}: Redis has {here}, the model {there}")
    assert not differing, "\n".join(differing)


@pytest.mark.timeout(7_200 if THOROUGH else 120)
def test_redis_does_what_the_model_does(redis_server: RedisServer) -> None:
    Histories.server = redis_server
    with asyncio.Runner() as runner:
        Histories.runner = runner
        run_state_machine_as_test(
            Histories,
            settings=settings(
                max_examples=HISTORIES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=PHASES,
            ),
        )
