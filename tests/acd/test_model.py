"""Random histories of calls, agents and time: Redis must do at each step what the model does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from engine.acd import Device, Intent, Missed
from engine.acd.offer import OfferEvent
from engine.redis_line import RedisLine
from tests.acd.desk import LEASE_MS, START_MS, Desk
from tests.acd.model import Made, Model
from tests.acd.redis_server import RedisServer

AGENTS = {
    "8001": {"sales": 5, "mandarin": 5},
    "8002": {"sales": 2},
    "8003": {"service": 4, "mandarin": 1},
    "8004": {"sales": 3, "service": 3},
}
REQUIREMENTS = ["any", "sales", "sales>=3", "service & mandarin", "agent:8002", "sales | service"]


class Histories(RuleBasedStateMachine):
    server: RedisServer

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.line = RedisLine(self.server.url)
        self.model = Model(AGENTS, START_MS)
        self.past_tokens: list[str] = []
        self.count = 0
        self.run(self._start())
        for agent in AGENTS:
            self.agent_changes(agent, Intent.READY, Device.IDLE)
            self.time_passes(1)

    async def _start(self) -> None:
        await self.line.open()
        await self.line.call("FLUSHALL")
        self.desk = Desk(self.line)
        await self.desk.acd.load()
        # `sales | service` is seen first when an item asks for it.
        await self.desk.acd.define(AGENTS, REQUIREMENTS[:-1])

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def teardown(self) -> None:
        try:
            self._leases_free_every_agent()
        finally:
            self.run(self.line.close())
            self.runner.close()

    def _leases_free_every_agent(self) -> None:
        for agent in AGENTS:
            self.agent_changes(agent, Intent.LOGGED_OUT, Device.IDLE)
        self.time_passes(LEASE_MS)
        for state in self.run(self.desk.acd.agents()):
            assert state.work in {"idle", "talking"}, f"stuck: {state}"
        for item in self.run(self.desk.acd.adopt()):
            assert item.state in {"waiting", "talking"}, f"lost: {item}"

    # --- what happens --------------------------------------------------------------------------------------

    @rule(
        requirement=st.sampled_from(REQUIREMENTS),
        head_start=st.sampled_from([0, 0, 0, 5_000, 60_000]),
        preferred=st.sampled_from(["", "", "8001", "8004"]),
        wrapup=st.sampled_from([0, 3_000]),
    )
    def call_arrives(self, requirement: str, head_start: int, preferred: str, wrapup: int) -> None:
        self.count += 1
        item = f"call-{self.count}"
        placement = self.run(
            self.desk.calls(item, requirement, head_start_ms=head_start, preferred=preferred, wrapup_ms=wrapup)
        )
        self._same(self.model.enqueue(item, requirement, head_start, preferred, wrapup, LEASE_MS))
        order = [waiting.id for waiting in self.model.waiting()]
        assert placement.position == (order.index(item) + 1 if item in order else 0)

    @precondition(lambda self: self.model.items)
    @rule(data=st.data())
    def enqueue_is_repeated(self, data: st.DataObject) -> None:
        item = self._some_item(data)
        placement = self.run(self.desk.acd.enqueue(item, queue="sales", requirement="any", wrapup_ms=0, lease_ms=1))
        known = self.model.items[item]
        under_offer = known.state in {"offered", "ringing"}
        assert (placement.offer.token if placement.offer else "") == (known.token if under_offer else "")

    @rule(
        agent=st.sampled_from(sorted(AGENTS)),
        intent=st.sampled_from([Intent.READY] * 4 + [Intent.NOT_READY, Intent.LOGGED_OUT]),
        device=st.sampled_from([Device.IDLE] * 4 + [Device.BUSY, Device.DOWN]),
    )
    def agent_changes(self, agent: str, intent: Intent, device: Device) -> None:
        # With the reason as it is, so that an unchanged intent is no change.
        reason = self.run(self.desk.agent(agent)).reason if intent == self.model.agents[agent].intent else ""
        self.run(self.desk.acd.agent(agent, intent=intent, reason=reason, device=device))
        self._same(self.model.set_agent(agent, intent, reason, device))

    @precondition(lambda self: self.past_tokens)
    @rule(data=st.data(), event=st.sampled_from([OfferEvent.RING, OfferEvent.ACCEPT]))
    def phone_reports(self, data: st.DataObject, event: OfferEvent) -> None:
        token = self._some_token(data)
        verb = self.desk.acd.ringing if event is OfferEvent.RING else self.desk.acd.accept
        assert self.run(verb(token)) == self.model.report(token, event)
        self._same([])

    @precondition(lambda self: self.past_tokens)
    @rule(data=st.data(), reason=st.sampled_from([missed for missed in Missed if missed is not Missed.LEASE]))
    def offer_is_missed(self, data: st.DataObject, reason: Missed) -> None:
        token = self._some_token(data)
        done = self.run(self.desk.acd.miss(token, reason, ring_ms=0))
        made = self.model.miss(token, reason)
        assert done == (made is not None)
        self._same(made or [])

    @precondition(lambda self: self.count)
    @rule(data=st.data())
    def caller_leaves(self, data: st.DataObject) -> None:
        item = f"call-{data.draw(st.integers(1, self.count), label='item')}"
        done = self.run(self.desk.acd.withdraw(item, "abandoned_waiting"))
        made = self.model.withdraw(item)
        assert done == (made is not None)
        self._same(made or [])

    @precondition(lambda self: any(item.state == "accepted" for item in self.model.items.values()))
    @rule(data=st.data())
    def conversation_ends(self, data: st.DataObject) -> None:
        item = self._some_item(data)
        done = self.run(self.desk.acd.leave(item, reason="completed_by_agent"))
        made = self.model.leave(item)
        assert done == (made is not None)
        self._same(made or [])

    @rule(ms=st.sampled_from([1, 1_000, 3_000, 5_000, 10_000, LEASE_MS, 60_000]))
    def time_passes(self, ms: int) -> None:
        self.desk.now_ms += ms
        self.model.now += ms
        while self.model.timers and min(self.model.timers.values()) <= self.model.now:
            self.run(self.desk.acd.tick())
            self._same(self.model.tick())
        assert self.run(self.desk.acd.tick()) == 0

    # --- what must hold ------------------------------------------------------------------------------------

    @invariant()
    def redis_is_where_the_model_is(self) -> None:
        agents = self.run(self.desk.acd.agents())
        assert [
            (a.id, a.intent, a.device, a.work, a.item, a.idle_since_ms, a.cool_until_ms, a.misses) for a in agents
        ] == [
            (a.id, a.intent, a.device, a.work, a.item, a.idle_since, a.cool_until, a.misses)
            for a in sorted(self.model.agents.values(), key=lambda agent: agent.id)
        ]
        items = {item.id: item for item in self.run(self.desk.acd.adopt())}
        states = {"ringing": "offered", "accepted": "talking"}
        assert {i.id: (i.state, i.agent, i.token, i.attempt) for i in items.values()} == {
            i.id: (states.get(i.state, i.state), i.agent, i.token, i.attempt) for i in self.model.items.values()
        }
        at_work = [item.agent for item in items.values() if item.agent]
        assert len(at_work) == len(set(at_work)), "one agent, one item"

    @invariant()
    def nobody_is_idle_while_a_call_they_may_take_waits(self) -> None:
        for item in self.model.waiting():
            for agent in self.model.agents.values():
                fits = self.model.routable(agent) and self.model.meets(agent, item)
                assert not fits or self.model.excludes(item, agent), (item, agent)

    @invariant()
    def positions_follow_the_order(self) -> None:
        for place, item in enumerate(self.model.waiting(), start=1):
            assert self.run(self.desk.acd.position(item.id)) == place

    def _same(self, expected: Made) -> None:
        made, self.desk.offers[:] = list(self.desk.offers), []
        assert [(offer.item, offer.agent, offer.attempt) for offer in made] == expected
        for offer in made:
            if self.past_tokens:
                assert offer.token > self.past_tokens[-1], "tokens only grow"
            self.past_tokens.append(offer.token)
            self.model.items[offer.item].token = offer.token

    def _some_item(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.model.items)), label="item")

    def _some_token(self, data: st.DataObject) -> str:
        """Mostly one in force, sometimes a stale one."""
        current = [item.token for item in self.model.items.values() if item.token]
        return data.draw(st.sampled_from(current * 3 + self.past_tokens[-3:]), label="token")


@pytest.mark.timeout(120)
def test_redis_does_what_the_model_does(redis_server: RedisServer) -> None:
    Histories.server = redis_server
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # A failing history is short enough to read; shrinking one against a real server takes minutes.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
