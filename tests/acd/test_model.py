"""Random histories of items, agents, engines and time: after each step Redis must stand where the model stands.

`HYPOTHESIS_PROFILE=thorough` runs thousands of longer histories (HISTORIES says how many).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from engine.acd import AgentTerms, Device, Intent, Missed, Policy
from tests.acd import inside
from tests.acd.desk import LEASE_MS, START_MS, Desk, policy
from tests.acd.model import Model
from tests.acd.population import KNOWN, POLICIES, RELOADS, STAFF
from tests.acd.redis_server import RedisServer
from tests.acd.side_by_side import SideBySide

Draw = Callable[[Any, str], Any]  # a strategy, and what for

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
HISTORIES, STEPS = (int(os.environ.get("HISTORIES", "6000")), 60) if THOROUGH else (150, 35)
# A failing history is short enough to read; making it shorter against a real server takes minutes.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)

milliseconds = st.sampled_from([1, 1_000, 3_000, 5_000, 10_000, LEASE_MS, 60_000])
# Some are longer than any queue lets wait.
put_off = st.sampled_from([1, 1_000, 7_000, 31_000, 45_000])
closing = st.sampled_from([None, 0, 2_000, 25_000, 50_000])
agents = st.sampled_from(sorted(STAFF))
engines = st.sampled_from(["one", "one", "one", "two"])
arrivals = st.fixed_dictionaries(
    {
        "head_start_ms": st.sampled_from([0, 0, 0, 5_000, 60_000]),
        "preferred": st.sampled_from(["", "", "8001", "8004"]),
        "patience_ms": st.sampled_from([0, 0, 3_000, 12_000]),
    },
    optional={
        "waited_ms": st.sampled_from([1_000, 9_000]),
        "served_within_ms": st.sampled_from([3_000, 12_000]),
        "exclude": st.sampled_from([{"8001": 4_000}, {"8002": 30_000, "8003": 1_000}, {"8004": 20_000}]),
        "closes_in_ms": st.sampled_from([0, 2_000, 25_000]),
        "hold_ms": put_off,
        "who": st.sampled_from(["w1", "w2"]),
    },
).filter(lambda asked: len(asked) < 6)
# What happens how often: a history in which nobody calls proves little.
HAPPENS = (
    ["item_arrives"] * 8
    + ["phone_answers"] * 5
    + ["offer_is_missed"] * 4
    + ["agent_changes", "conversation_ends", "time_passes"] * 3
    + ["phone_rings", "caller_leaves", "agent_comes", "nobody_ticks"] * 2
    + [
        "enqueue_is_repeated",
        "item_is_deferred",
        "item_is_assigned",
        "item_is_reprioritised",
        "item_is_taken_out",
        "closing_is_set_anew",
        "closing_is_set_anew",
    ]
    + ["queue_serves_otherwise"] * 2
    + ["item_is_explained", "engine_is_taken_over", "wrap_up_is_changed", "agent_learns", "configuration_is_reloaded"]
)


class Histories(SideBySide):
    happenings = HAPPENS
    policies = tuple(range(len(POLICIES)))  # that items arrive with
    pauses = milliseconds

    @initialize(
        interrupting=st.sampled_from([frozenset(), frozenset({"voice"})]),
        shares=st.sampled_from([{}, {}, {"chat": 30, "email": 10}, {"voice": 60, "chat": 25}]),
        ready=st.sampled_from([True, True, True, False]),
    )
    def begins(self, interrupting: frozenset[str], shares: dict[str, int], ready: bool) -> None:
        self.interrupting, self.shares = interrupting, shares
        self.model = Model(START_MS, interrupting, shares)
        self.model.define(STAFF, [terms for _, terms in KNOWN])
        self.run(self._open())
        self._same()
        for agent in STAFF if ready else ():
            self._change(agent, Intent.READY, Device.IDLE, "")
            self._passes(1)
        self._goes_before()

    def _goes_before(self) -> None:
        """Nothing."""

    def teardown(self) -> None:
        try:
            if hasattr(self, "model"):
                self._everything_ends()
        finally:
            self.run(self.line.close())

    @rule(data=st.data())
    def happens(self, data: st.DataObject) -> None:
        what = data.draw(st.sampled_from(self.happenings), label="what")
        getattr(self, what)(lambda strategy, label: data.draw(strategy, label=label))

    # --- items ---------------------------------------------------------------------------------------------------

    def item_arrives(self, draw: Draw) -> None:
        self.count += 1
        n = draw(st.sampled_from(self.policies), "policy")
        asked, (queue, terms) = draw(arrivals, "asked"), POLICIES[n]
        if draw(st.integers(0, 5), "replaces") == 5:
            asked = {**asked, "replaces": self._some_item(draw)}
        self._enqueue(
            f"item-{self.count}", "one" if n >= len(KNOWN) else draw(engines, "engine"), queue, terms, **asked
        )

    def enqueue_is_repeated(self, draw: Draw) -> None:
        if self.model.items:
            item = draw(st.sampled_from(sorted(self.model.items)), "item")
            self._enqueue(item, draw(engines, "engine"), self.model.items[item].queue, POLICIES[0][1])

    def _enqueue(self, item: str, engine: str, queue: str, terms: Policy, **asked: Any) -> None:
        placement = self.run(self.desks[engine].calls(item, terms, queue=queue, data="its own", **asked))
        self._happened()
        answer = self.model.enqueue(item, engine, queue, terms, **asked)
        assert (placement.refused or placement.position, placement.waited_ms) == answer
        self._same()

    def phone_rings(self, draw: Draw) -> None:
        token = self._some_token(draw)
        self._both(self._desk_of(token).acd.ringing(token), lambda: self.model.ringing(token))

    def phone_answers(self, draw: Draw) -> None:
        token = self._some_token(draw)
        self._both(self._desk_of(token).acd.accept(token), lambda: self.model.accept(token))

    def offer_is_missed(self, draw: Draw) -> None:
        token = self._some_token(draw)
        reason = draw(st.sampled_from([missed for missed in Missed if missed is not Missed.LEASE]), "reason")
        asked = self._desk_of(token).acd.miss(token, reason, ring_ms=0)
        self._both(asked, lambda: self.model.miss(token, reason))

    def caller_leaves(self, draw: Draw) -> None:
        item, engine, keep = self._some_item(draw), draw(engines, "engine"), draw(st.booleans(), "keeps the place")
        asked = self.desks[engine].acd.withdraw(item, "abandoned", keep_place=keep)
        self._both(asked, lambda: self.model.withdraw(item, engine, "abandoned", keep))

    def conversation_ends(self, draw: Draw) -> None:
        talking = [item.id for item in self.model.items.values() if item.state == "talking"]
        if talking:
            item = draw(st.sampled_from(talking), "item")
            self._ends(item)

    def item_is_served(self, draw: Draw) -> None:
        """From the answer to the end."""
        token = self._some_token(draw)
        item = token.partition("-")[2]
        self._both(self._desk_of(token).acd.accept(token), lambda: self.model.accept(token))
        if item in self.model.items and self.model.items[item].state == "talking":
            self._ends(item)

    def item_is_deferred(self, draw: Draw) -> None:
        item, engine, ms = self._some_item(draw), draw(engines, "engine"), draw(put_off, "ms")
        closes_in_ms = draw(closing, "closes in")
        asked = self.desks[engine].acd.defer(item, ms, "dialling", closes_in_ms=closes_in_ms)
        self._both(asked, lambda: self.model.defer(item, engine, ms, "dialling", closes_in_ms))

    def closing_is_set_anew(self, draw: Draw) -> None:
        item, closes_in_ms = self._some_item(draw), draw(closing, "closes in")
        asked = self.desks[draw(engines, "engine")].acd.closes(item, closes_in_ms)
        self._both(asked, lambda: self.model.closes(item, closes_in_ms))

    def queue_serves_otherwise(self, draw: Draw) -> None:
        """By a policy that Redis may not know yet, and engine two could not tell the agents of."""
        item, n = self._some_item(draw), draw(st.sampled_from(range(len(POLICIES))), "policy")
        desk = self.desks["one" if n >= len(KNOWN) else draw(engines, "engine")]
        asked = desk.acd.repolicy(item, POLICIES[n][1])
        self._both(asked, lambda: self.model.repolicy(item, POLICIES[n][1]))

    # --- a supervisor, another engine ----------------------------------------------------------------------------

    def item_is_assigned(self, draw: Draw) -> None:
        item, agent = self._some_item(draw), draw(agents, "agent")
        why = self.run(self.desks[draw(engines, "engine")].acd.assign(item, agent, actor="anna"))
        self._happened()
        expected = self.model.assign(item, agent)
        assert (why == expected) if expected != "not routable" else why
        self._same()

    def item_is_reprioritised(self, draw: Draw) -> None:
        item = self._some_item(draw)
        head, strict = draw(st.sampled_from([0, 30_000]), "head start"), draw(st.sampled_from([0, 1, 9]), "strict")
        asked = self.desks["one"].acd.reprioritise(item, head_start_ms=head, strict=strict, actor="anna")
        self._both(asked, lambda: self.model.reprioritise(item, head, strict))

    def item_is_taken_out(self, draw: Draw) -> None:
        item = self._some_item(draw)
        asked = self.desks[draw(engines, "engine")].acd.release(item, "moved", target="queue:service", actor="anna")
        self._both(asked, lambda: self.model.release(item, "moved", "queue:service"))

    def item_is_explained(self, draw: Draw) -> None:
        item = self.model.items.get(self._some_item(draw))
        told = self.run(self.desks["two"].acd.explain(item.id if item else "item-0"))
        assert (told is None) == (item is None)
        if told is None or item is None:
            return
        assert (told.state, told.position) == (item.state, self.model.position(item.id))
        assert [step.now for step in told.steps].index(True) + (not item.preferred) == item.step
        for agent in told.agents:
            free = self.model.routable(self.model.agents[agent.agent], told.kind)
            assert (agent.why == "") == (free and self.model.fits(item, agent.agent)), agent
        for n, step in enumerate(told.steps, start=0 if item.preferred else 1):
            assert step.staffed == self.model.staffed(self.model.line(item, n)), step

    def engine_is_taken_over(self, draw: Draw) -> None:
        engine, by = draw(engines, "engine"), draw(engines, "by")
        self.run(self.desks[by].acd.adopt(engine))
        self._happened()
        self.model.adopt(engine, by)
        self._same()

    # --- agents --------------------------------------------------------------------------------------------------

    def agent_comes(self, draw: Draw) -> None:
        self._change(draw(agents, "agent"), Intent.READY, Device.IDLE, "")

    def agent_changes(self, draw: Draw) -> None:
        intent = draw(st.sampled_from([Intent.READY] * 3 + [Intent.NOT_READY, Intent.LOGGED_OUT]), "intent")
        device = draw(st.sampled_from([Device.IDLE] * 3 + [Device.BUSY, Device.DOWN]), "device")
        self._change(draw(agents, "agent"), intent, device, draw(st.sampled_from(["", "lunch"]), "reason"))

    def _change(self, agent: str, intent: Intent, device: Device, reason: str) -> None:
        if self._is_defined(agent):
            self.run(self.desks["two"].acd.agent(agent, intent=intent, device=device, reason=reason))
            self._happened()
            self.model.agent(agent, intent, reason, device)
            self._same()

    def wrap_up_is_changed(self, draw: Draw) -> None:
        agent, ms = draw(agents, "agent"), draw(st.sampled_from([0, 0, 2_000, 30_000]), "ms")
        self._both(self.desks["two"].acd.wrapup(agent, ms), lambda: self.model.wrapup(agent, ms))

    def agent_learns(self, draw: Draw) -> None:
        agent, name = draw(agents, "agent"), draw(st.sampled_from(["sales", "mandarin", "service"]), "skill")
        level = draw(st.sampled_from([None, 0, 1, 5]), "level")
        if self._is_defined(agent):
            self.run(self.desks["one"].acd.skill(agent, name, level))
            self._happened()
            self.model.skill(agent, name, level)
            self._same()

    def configuration_is_reloaded(self, draw: Draw) -> None:
        self._reload(RELOADS[draw(st.integers(0, len(RELOADS) - 1), "configuration")])

    def _reload(self, staff: dict[str, AgentTerms]) -> None:
        self.run(self._define(staff))
        self._happened()
        self.model.define(staff, [terms for _, terms in KNOWN])
        self._same()

    def _is_defined(self, agent: str) -> bool:
        return agent in self.model.agents and not self.model.agents[agent].removed

    # --- time ----------------------------------------------------------------------------------------------------

    def time_passes(self, draw: Draw) -> None:
        self._passes(draw(self.pauses, "ms"))

    def nobody_ticks(self, draw: Draw) -> None:
        self._clocks(draw(st.sampled_from([1, 400, 5_000]), "ms"))

    def _everything_ends(self) -> None:
        """Whatever happened: nobody is stuck, every offer and item is accounted for, and nothing stays behind."""
        self._reload(STAFF)
        for agent in STAFF:
            self._change(agent, Intent.LOGGED_OUT, Device.IDLE, "")
        self._passes(2 * LEASE_MS)
        for item in list(self.model.items):
            self._ends(item)
        self._passes(90_000)
        left = inside.leftovers(self.run(inside.look(self.line)))
        assert not left, f"left behind: {left}"
        for agent in STAFF:
            self._change(agent, Intent.READY, Device.IDLE, "")
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

    def _some_item(self, draw: Draw) -> str:
        """Mostly one that is here, sometimes one that is gone, or has never been."""
        item: str = draw(st.sampled_from([*self.model.items] * 4 + [f"item-{self.count}", "item-0"]), "item")
        return item

    def _some_token(self, draw: Draw) -> str:
        """Mostly one in force, sometimes a stale one."""
        current = [offer.token for item in self.model.items.values() for offer in item.offers]
        token: str = draw(st.sampled_from([*current * 3, *self.past_tokens[-2:]] or ["1-item-0"]), "token")
        return token

    def _desk_of(self, token: str) -> Desk:
        item = self.model.items.get(token.partition("-")[2])
        return self.desks[item.engine if item else "one"]


class ManyWrapUps(Histories):
    """Everybody has just talked, and people wait to be called back: agents are reserved ahead."""

    happenings = (
        ["item_arrives"] * 4
        + ["item_is_served", "time_passes"] * 6
        + ["wrap_up_is_changed", "agent_comes", "offer_is_missed"] * 2
        + ["agent_changes", "phone_answers", "phone_rings", "caller_leaves", "nobody_ticks", "enqueue_is_repeated"]
        + [
            "queue_serves_otherwise",
            "item_is_deferred",
            "item_is_assigned",
            "item_is_taken_out",
            "agent_learns",
            "configuration_is_reloaded",
        ]
    )
    policies = (*[n for n, (_, terms) in enumerate(POLICIES) if terms.ahead_ms] * 3, 0, 2, 7)
    pauses = st.sampled_from([1, 500, 1_000, 2_000, 3_000, 5_000, 9_000])

    def _goes_before(self) -> None:
        for n in range(len(STAFF)):
            item = f"item-at-first-{n}"
            self._enqueue(item, "one", "sales", policy("any", wrapup_ms=8_000 + 1_000 * n))
            offers = self.model.items[item].offers
            if offers:
                token = offers[0].token
                self._both(self.desks["one"].acd.accept(token), lambda token=token: self.model.accept(token))
                self._ends(item)
            self._passes(300)


@pytest.mark.timeout(7_200 if THOROUGH else 120)
@pytest.mark.parametrize(("histories", "share"), [(Histories, 1.0), (ManyWrapUps, 0.4)])
def test_redis_does_what_the_model_does(redis_server: RedisServer, histories: type[Histories], share: float) -> None:
    histories.server = redis_server
    with asyncio.Runner() as runner:
        histories.runner = runner
        run_state_machine_as_test(
            histories,
            settings=settings(
                max_examples=round(HISTORIES * share),
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=PHASES,
            ),
        )
