"""One day through the ACD's own functions: callers who arrive, wait, give up; agents who answer, talk, take breaks.

Time is ours: the clock jumps to whatever happens next, be it on our agenda or one of the ACD's timers."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Awaitable, Iterator
from functools import partial
from itertools import count
from typing import TypeVar

from engine.acd import Acd, Cancelled, Device, Intent, Missed, Notice, Offer, Policy, Released
from engine.config import policies
from engine.flow.steps import ToQueue
from engine.redis_line import RedisLine
from engine.simulation.agenda import Agenda
from engine.simulation.chance import arrivals, stream
from engine.simulation.people import AtWork, Call, Outcome
from engine.simulation.scenario import OVERTIME_MS, CallerClass, Scenario

T = TypeVar("T")

# A midnight in UTC. Only differences matter, except that 0 would mean Redis' own clock.
MIDNIGHT_MS = 1_798_416_000_000


class Day:
    """One scenario, played once. `calls`, `agents` and `offers` tell what happened; times in ms from midnight."""

    def __init__(self, scenario: Scenario, line: RedisLine, *, domain: str) -> None:
        self.scenario = scenario
        self.now_ms = scenario.start_ms
        self.calls: dict[str, Call] = {}
        self.agents = {
            id_: AtWork(id_, duty, stream(scenario.seed, "agent", id_)) for id_, duty in scenario.duties.items()
        }
        self.offers: list[tuple[int, Offer]] = []  # and when they were made
        self._policies = {each.name: _policy(each, scenario) for each in scenario.callers}
        self._agenda = Agenda()
        self._notices: deque[Notice] = deque()
        self._inside = 0  # callers who wait or talk
        self._due_ms = math.inf  # the ACD's earliest timer
        self._acd = Acd(
            line,
            domain=domain,
            engine="simulation",
            on_notice=self._notices.append,
            clock=lambda: MIDNIGHT_MS + self.now_ms,
        )

    async def play(self) -> None:
        """From the first minute until the last caller has been served or has left. Raises LineDown."""
        await self._acd.load()
        await self._acd.define(
            policies.terms(self.scenario),
            self._policies.values(),
            interrupting=policies.interrupting(self.scenario),
            shares=policies.shares(self.scenario),
        )
        for agent in self.agents.values():
            agent.since_ms = self.now_ms
            self._plan(agent)
        for caller_class in self.scenario.callers:
            self._await_next(self._callers(caller_class), caller_class)
        while await self._go_on():
            pass
        for call in self.calls.values():
            if call.outcome is None:
                self._end(call, Outcome.UNSERVED)
        for agent in self.agents.values():
            agent.pass_to(self.now_ms)

    async def _go_on(self) -> bool:
        """To the next moment at which anything happens; False when nothing will any more."""
        planned_ms = self._agenda.next_ms
        next_ms = min(self._due_ms, planned_ms)
        end_ms = self.scenario.end_ms + (OVERTIME_MS if self._inside else 0)
        if next_ms >= end_ms:
            self.now_ms = max(self.now_ms, self.scenario.end_ms)
            return False
        self.now_ms = max(self.now_ms, int(next_ms))
        if self._due_ms <= planned_ms:
            self._due_ms = math.inf
            await self._told(self._acd.tick())
        else:
            await self._agenda.pop()()
        while self._notices:
            await self._heed(self._notices.popleft())
        return True

    async def _told(self, verb: Awaitable[T]) -> T:
        """What the ACD says; when it sets a timer, we know when to tick."""
        said = await verb
        if self._acd.due_in_ms >= 0:
            self._due_ms = min(self._due_ms, self.now_ms + self._acd.due_in_ms)
        return said

    async def _heed(self, notice: Notice) -> None:
        if isinstance(notice, Offer):
            await self._ring(notice)
        elif isinstance(notice, Cancelled):
            self._hang_up(self.calls[notice.item], notice.token)
        elif isinstance(notice, Released):
            timed_out = notice.reason == "timed_out"
            self._end(self.calls[notice.item], Outcome.TIMED_OUT if timed_out else Outcome.RELEASED, notice.reason)

    # --- callers -------------------------------------------------------------------------------------------

    def _callers(self, each: CallerClass) -> Iterator[Call]:
        """Those of a class in the order of their arrival, decided in advance: what happens to one changes no other."""
        scenario, name = self.scenario, each.name
        talk, patience = stream(scenario.seed, name, "talk"), stream(scenario.seed, name, "patience")
        moments = arrivals(each.rates, stream(scenario.seed, name, "arrivals"))
        for number, moment in zip(count(1), moments, strict=False):
            yield Call(
                id=f"{name}-{number}",
                caller_class=name,
                queue=each.queue,
                arrived_ms=moment,
                handle_ms=each.handle.draw(talk),
                patience_ms=each.patience.draw(patience) if each.patience else None,
            )

    def _await_next(self, callers: Iterator[Call], each: CallerClass) -> None:
        call = next(callers, None)
        if call is not None:
            self._agenda.at(call.arrived_ms, partial(self._arrive, call, callers, each))

    async def _arrive(self, call: Call, callers: Iterator[Call], each: CallerClass) -> None:
        self._await_next(callers, each)
        self.calls[call.id] = call
        self._inside += 1
        if call.patience_ms is not None:
            self._agenda.at(self.now_ms + call.patience_ms, partial(self._give_up, call))
        policy = self._policies[call.caller_class]
        placement = await self._told(
            self._acd.enqueue(
                call.id,
                queue=call.queue,
                policy=policy,
                head_start_ms=each.head_start_ms,
                served_within_ms=each.served_within_ms,
            )
        )
        if placement.refused:
            self._end(call, Outcome.REFUSED, placement.refused)
        for offer in placement.offers:
            await self._ring(offer)

    async def _give_up(self, call: Call) -> None:
        if call.outcome is None and await self._told(self._acd.withdraw(call.id, "caller_hung_up")):
            self._end(call, Outcome.ABANDONED)

    def _end(self, call: Call, outcome: Outcome, why: str = "") -> None:
        """For this caller the wait is over."""
        call.outcome, call.why, call.wait_ms = outcome, why, self.now_ms - call.arrived_ms
        for token in list(call.ringing):
            self._hang_up(call, token)
        if outcome is not Outcome.ANSWERED:
            self._inside -= 1

    # --- offers --------------------------------------------------------------------------------------------

    async def _ring(self, offer: Offer) -> None:
        call, agent = self.calls[offer.item], self.agents[offer.agent]
        self.offers.append((self.now_ms, offer))
        call.offers += 1
        call.ringing[offer.token] = offer.agent
        agent.take(self.now_ms)
        await self._told(self._acd.ringing(offer.token))
        limit_ms, answers_in_ms = round(self.scenario.queues[call.queue].ring * 1000), agent.answers_in()
        if answers_in_ms is None or answers_in_ms >= limit_ms:
            self._agenda.at(self.now_ms + limit_ms, partial(self._miss, call, offer, limit_ms))
        else:
            self._agenda.at(self.now_ms + answers_in_ms, partial(self._answer, call, offer))

    def _hang_up(self, call: Call, token: str) -> AtWork | None:
        """The phone of this offer rings no more; None when it did not."""
        agent = call.ringing.pop(token, None)
        if agent is None:
            return None
        self.agents[agent].put_down(self.now_ms)
        return self.agents[agent]

    async def _answer(self, call: Call, offer: Offer) -> None:
        if offer.token not in call.ringing:
            return
        if not await self._told(self._acd.accept(offer.token)):
            self._hang_up(call, offer.token)
            return
        self._end(call, Outcome.ANSWERED)
        call.agent = offer.agent
        agent = self.agents[offer.agent]
        agent.take(self.now_ms)
        agent.answered += 1
        self._agenda.at(self.now_ms + call.handle_ms, partial(self._part, call, agent))

    async def _miss(self, call: Call, offer: Offer, rang_ms: int) -> None:
        agent = self._hang_up(call, offer.token)
        if agent is None:
            return
        call.ignored += 1
        agent.ignored += 1
        await self._told(self._acd.miss(offer.token, Missed.NO_ANSWER, ring_ms=rang_ms))
        state = await self._acd.look_at(agent.id)
        if agent.ready and state is not None and state.intent is Intent.NOT_READY:
            agent.turn(self.now_ms, ready=False)
            agent.set_not_ready += 1
            self._agenda.at(self.now_ms + agent.duty.returns_after_ms, partial(self._turn, agent))

    async def _part(self, call: Call, agent: AtWork) -> None:
        self._inside -= 1
        await self._told(self._acd.leave(call.id, reason="agent_hung_up"))
        wrapup_ms = self._policies[call.caller_class].wrapup_ms
        self._agenda.at(self.now_ms + wrapup_ms, partial(self._finish, agent))

    async def _finish(self, agent: AtWork) -> None:
        agent.put_down(self.now_ms)

    # --- agents --------------------------------------------------------------------------------------------

    def _plan(self, agent: AtWork) -> None:
        """Every moment at which they log in or out, go on a break or come back."""
        for moment in sorted({edge for stretch in (*agent.duty.works, *agent.duty.breaks) for edge in stretch}):
            self._agenda.at(moment, partial(self._turn, agent))

    async def _turn(self, agent: AtWork) -> None:
        """To what their hours say for this moment. What is at hand is finished first: the ACD sees to that."""
        intent = agent.duty.intent(self.now_ms)
        ready = intent is Intent.READY
        if not (ready and agent.ready):
            reason = "break" if intent is Intent.NOT_READY else ""
            await self._told(self._acd.agent(agent.id, intent=intent, reason=reason, device=Device.IDLE))
            agent.turn(self.now_ms, ready=ready)


def _policy(each: CallerClass, scenario: Scenario) -> Policy:
    """As for callers whom a flow sends to the queue."""
    return policies.policy_of(ToQueue(queue=each.queue, branches=dict.fromkeys(each.leave_when, "")), scenario, {})
