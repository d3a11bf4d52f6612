"""One call without a telephone, from the number that was dialled to where the caller ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from engine.acd import parse
from engine.config.dialling import NotAllowed, ways_out
from engine.config.models import Number
from engine.config.site import Site
from engine.config.source import nearest
from engine.flow.claim import announce, head_start_s, music, steps
from engine.flow.leg import HungUp
from engine.flow.runner import FlowLoops, Walk
from engine.flow.steps import Ended, ToQueue
from engine.flow.steps.base import Away, ToAgent, ToNumber
from engine.flow.visit import Visit, caller_facts
from engine.identity.numbers import Caller
from engine.journal import events as e
from engine.journal.timeline import Timeline
from engine.orders import StandingOrders
from engine.simulator.answers import services
from engine.simulator.caller import Say
from engine.simulator.clock import VirtualLoop
from engine.simulator.keys import Act, Leave, Press, Silence, Wait
from engine.simulator.leg import SimulatedLeg
from engine.simulator.story import End, Heard, Line, Story
from engine.simulator.words import Words

# How long a recording takes of which nothing is known: a voicemail that is played back.
RECORDING_S = 3.0
CALL_ID = "simulated"


class NotOurs(LookupError):  # noqa: N818 - said to a person
    """A number that this site does not answer."""


class Calls(Protocol):
    """Who calls (engine/simulator/caller.py)."""

    left: list[Act]

    async def call(self, leg: SimulatedLeg, say: Say) -> None:
        """Plays their part."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """A call that might come. `after`: how a stay with somebody ends, by kind (queue, agent, number); where nothing is
    said the story ends there. `identity`, `http`: what the company's endpoints answer (engine/simulator/answers.py)."""

    number: str
    caller: str
    at: datetime
    language: str = ""
    trunk: str = ""
    identity: Any = None
    http: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    orders: StandingOrders = field(default_factory=StandingOrders)


def ours(site: Site, number: str) -> Number:
    """What is written of a number that callers dial. Raises NotOurs."""
    known = site.hotline.numbers
    if number not in known:
        raise NotOurs(f"{number} is no number of dialplan/hotline.yaml{nearest(number, known)}")
    return known[number]


def simulate(site: Site, dialled: Dialled, who: Calls, tell: Callable[[Line], None] = lambda _: None) -> Story:
    """The whole call, which takes no time; `tell` is given each line as it happens. Raises NotOurs, BadAnswers."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_Simulation(site, dialled, who, tell).story())


class _Simulation:
    def __init__(self, site: Site, dialled: Dialled, who: Calls, tell: Callable[[Line], None]) -> None:
        self._site = replace(site, sounds=Words(site.sounds))
        self._dialled, self._who, self._tell = dialled, who, tell
        self._number = ours(site, dialled.number)
        self._lines: list[Line] = []
        self._path: list[str] = []
        self._heard: list[Heard] = []
        self._to_be_played = e.IvrPlayed(CALL_ID, 0, prompts=(), texts=(), language="")
        self._timeline = Timeline({user: agent.name for user, agent in site.agents.items()})

    async def story(self) -> Story:
        """Plays it."""
        self._visit, self._leg = visit, leg = self._set_up()
        part = asyncio.ensure_future(self._who.call(leg, self._say))
        try:
            end = await self._to_the_end(visit)
        except HungUp:
            end = End("caller_hung_up", why="the caller hung up")
        except FlowLoops as loops:
            end = End("lost", "loop", f"the flow goes round without end: {loops}")
        finally:
            part.cancel()
            with suppress(asyncio.CancelledError):
                await part
        unused = ", ".join(map(_written, self._who.left))
        return Story(
            tuple(self._lines), tuple(self._path), tuple(self._heard), end, leg.language, visit.values(), unused
        )

    def _set_up(self) -> tuple[Visit, SimulatedLeg]:
        site, dialled = self._site, self._dialled
        leg = SimulatedLeg(dialled.language or self._number.language, self._lasts, self._plays)
        trunk = dialled.trunk or next(iter(site.hotline.trunks), "")
        hidden = dialled.caller.lower() == "anonymous"
        presentation = "restricted" if hidden else "allowed"
        caller = site.hotline.caller(dialled.caller, trunk=trunk, presentation=presentation)
        self._note(
            e.CallArrived,
            number=caller.number,
            dialled=dialled.number,
            raw=caller.raw,
            presentation=caller.presentation,
            area=caller.area,
            carrier=caller.carrier,
            trunk=trunk,
            channel="",
        )
        return self._visit_of(leg, caller, trunk), leg

    def _visit_of(self, leg: SimulatedLeg, caller: Caller, trunk: str) -> Visit:
        dialled, loop = self._dialled, asyncio.get_running_loop()
        return Visit(
            leg=leg,
            site=self._site,
            services=services(self._site, dialled.identity, dialled.http, dialled.orders, self._say),
            note=self._note,
            caller=caller,
            call_id=CALL_ID,
            dialled=dialled.number,
            variables=caller_facts(caller, dialled=dialled.number, trunk=trunk),
            answer=self._answer,
            now=lambda: dialled.at + timedelta(seconds=loop.time()),
        )

    async def _answer(self) -> None:
        if not self._leg.up:
            await self._leg.answer()
            self._note(e.CallAnswered)

    async def _to_the_end(self, visit: Visit) -> End:
        """As a real call (engine/call/inbound.py): through the flows, away to somebody, perhaps back."""
        walk = Walk(self._site.flows, self._number.flow)
        walk.on_enter = lambda: self._path.append(f"{walk.flow}/{walk.step}")
        while True:
            departure = await walk.onward(visit)
            if isinstance(departure, Ended):
                facts: dict[str, Any] = {"cause": departure.cause, "answered": self._leg.up}
                return End("hangup", departure.reason, f"at {walk.flow}/{walk.step}, cause {departure.cause}", facts)
            outcome = self._refused(departure)
            if outcome is None:
                end = await self._with_somebody(departure, visit, f"{walk.flow}/{walk.step}")
                outcome = self._dialled.after.get(end.kind)
                if outcome is None:
                    return end
                self._say(f"{end}: {end.why}; as if: {outcome}")
                if outcome == "served" and "served" not in departure.branches:
                    return End("hangup", "served", f"{end} was the end of it")
            if not walk.follow(departure.back(outcome)):
                return End("hangup", outcome, f"nothing follows {walk.flow}/{walk.step} for {outcome}")

    def _refused(self, away: Away) -> str | None:
        """A number that no trunk may dial rings nowhere, whatever is to be supposed of those that ring."""
        if isinstance(away, ToNumber) and away.number:
            try:
                ways_out(self._site.hotline, away.number, away.trunk)
            except NotAllowed as refusal:
                self._note(e.OutsideFailed, number=refusal.number, reason="refused", ring_ms=0, detail=refusal.why)
                return "refused"
        return None

    async def _with_somebody(self, away: Away, visit: Visit, place: str) -> End:
        site, variables = self._site, visit.variables
        if isinstance(away, ToNumber):
            target = away.number or away.extension
            return End("number", target, f"at {place}, rings for {away.ring_s:g} s", {"ring_s": away.ring_s})
        await announce(variables, visit.say)
        await visit.answered()
        ahead_s = head_start_s(site, variables)
        ahead = f", a head start of {ahead_s:g} s" if ahead_s else ""
        if isinstance(away, ToAgent):
            why = f"at {place}, waits for {away.patience_s:g} s{ahead}"
            return End("agent", away.agent, why, {"head_start_s": ahead_s, "patience_s": away.patience_s})
        assert isinstance(away, ToQueue)  # noqa: S101 - there are no others (base.py)
        at_first, *later = steps(away, site, variables)
        need = "".join((at_first.require, *(f", after {step.after:g} s {step.require}" for step in later)))
        queue = site.queues[away.queue]
        heard = music(queue, site, variables)
        why = f"at {place}, needs {need}{ahead}, waits for {queue.max_wait:g} s with music {heard}"
        facts: dict[str, Any] = {"require": parse(at_first.require).text, "head_start_s": ahead_s}
        facts |= {"music": heard, "max_wait_s": queue.max_wait}
        return End("queue", away.queue, why, facts)

    def _lasts(self, prompt: str, language: str) -> float:
        if prompt.startswith("/"):
            return RECORDING_S
        name, _, fixed = prompt.partition("@")
        return self._site.sounds.duration_s(name, fixed or language)

    # What is told of it.

    def _note(self, kind: type[e.Event], /, **payload: Any) -> None:
        loop = asyncio.get_running_loop()
        event = kind(CALL_ID, round(loop.time() * 1000), **payload)
        if isinstance(event, e.IvrPlayed):
            self._to_be_played = event  # heard only if it is, of which the leg tells at once
        else:
            self._add(self._timeline.line(event).text)

    def _plays(self, heard: bool) -> None:
        event = self._to_be_played
        if heard:
            self._heard.append(Heard(event.prompts, event.texts, event.language))
            self._add(self._timeline.line(event).text)
        else:
            self._say(f"does not hear {' + '.join(event.prompts)}: a key was typed ahead")

    def _say(self, text: str) -> None:
        self._add(f"({text})")

    def _add(self, text: str) -> None:
        line = Line(asyncio.get_running_loop().time(), text)
        self._lines.append(line)
        self._tell(line)


def _written(act: Act) -> str:
    match act:
        case Press(keys=keys):
            return keys
        case Wait(seconds=seconds):
            return f"wait {seconds:g}"
        case Silence():
            return "silence"
        case Leave():
            return "hangup"
