"""The demo's call, and the proof that each part of it truly happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.api.client import NoEngine, Refused, ask, events
from engine.host.state import State
from engine.journal.events import from_data
from engine.journal.timeline import Timeline
from phones import Call, Phone, Phones

NUMBER = "4008001234"
CALLER = "13800138000"
# Not a note of the hold music, so that neither side can mistake music for the other's voice.
AGENT_HZ, CALLER_HZ = 1170, 430

OFFICE_OPEN_S = 8 * 3600


@dataclass(slots=True)
class Proof:
    """What had to happen, and whether it did."""

    say: Callable[[str, bool], None]
    failed: list[str] = field(default_factory=list)

    def check(self, what: str, happened: bool) -> None:
        """Notes one of them."""
        self.say(what, happened)
        if not happened:
            self.failed.append(what)


class Watcher:
    """Prints each call's timeline as it happens."""

    def __init__(self, socket: Path, names: dict[str, str], show: Callable[[str], None]) -> None:
        self._socket, self._names, self._show = socket, names, show
        self._timelines: dict[str, Timeline] = {}
        self.seen: dict[str, list[dict[str, Any]]] = {}
        self._news = asyncio.Condition()

    async def watch(self, watching: asyncio.Event) -> None:
        """Until cancelled. Raises NoEngine."""
        async with events(self._socket) as stream:
            watching.set()
            async for event in stream:
                if event["call"]:
                    self.seen.setdefault(event["call"], []).append(event)
                    timeline = self._timelines.setdefault(event["call"], Timeline(self._names))
                    self._show(str(timeline.line(from_data(event))))
                    async with self._news:
                        self._news.notify_all()

    async def until(self, event_type: str, /, *, timeout: float, **fields: Any) -> None:
        """Waits for an event of this kind with these fields. Raises TimeoutError."""

        def seen() -> bool:
            return any(
                event["type"] == event_type and fields.items() <= event.items()
                for happened in self.seen.values()
                for event in happened
            )

        async with asyncio.timeout(timeout), self._news:
            await self._news.wait_for(seen)


async def tell(phones: Phones, state: State, proof: Proof, watcher: Watcher) -> dict[str, Any]:
    """Plays the call and gives its row. Raises PhoneError when a phone does not do what it should."""
    lilei, _, _ = [
        await phones.phone(user, password=state.secret(f"phone-{user}"), bind="127.0.0.3")
        for user in ("8001", "8002", "8003")
    ]
    proof.check("8001, 8002 and 8003 are registered with digest authentication", lilei.registered)
    # The default site's office has hours; the demo is shown at any time of the day.
    await ask(state.api_socket, "/v1/hours/office", body={"state": "open", "for_s": OFFICE_OPEN_S, "by": "demo"})
    async with _away(state, {"8001": "lunch", "8003": "training"}):
        await _until_idle(state, "8001")
        return await _call(phones, lilei, state, proof, watcher)


@asynccontextmanager
async def _away(state: State, reasons: Mapping[str, str]) -> AsyncIterator[None]:
    """These agents are not ready meanwhile; afterwards they all are, whatever happened."""
    try:
        for agent, reason in reasons.items():
            await ask(state.api_socket, f"/v1/agents/{agent}/intent", body={"intent": "not_ready", "reason": reason})
        yield
    finally:
        for agent in reasons:
            with suppress(NoEngine, Refused):  # then there is nothing to restore, and the fault at hand is the news
                await ask(state.api_socket, f"/v1/agents/{agent}/intent", body={"intent": "ready", "reason": "demo"})


async def _call(phones: Phones, lilei: Phone, state: State, proof: Proof, watcher: Watcher) -> dict[str, Any]:
    carrier = await phones.carrier(bind="127.0.0.2")
    call = await carrier.call(NUMBER, caller=CALLER)
    await call.answered(timeout=5)
    proof.check("the caller hears the greeting", await call.hears_something(within=5))
    await watcher.until("ivr.node_entered", kind="menu", timeout=20)
    await asyncio.sleep(3)  # a person listens to the menu; the demo is for people
    await call.press("1")
    await watcher.until("item.announced", timeout=10)
    proof.check(
        "nobody is free: the caller waits with music and is told their place", await call.hears_something(within=3)
    )
    await asyncio.sleep(5)
    await ask(state.api_socket, "/v1/agents/8001/intent", body={"intent": "ready", "reason": "back from lunch"})
    ring = await lilei.ringing(timeout=8)
    proof.check(
        f"8001 rings and shows the caller's name: {ring.caller_name} {ring.caller_number}", ring.caller_name == "张三"
    )
    await asyncio.sleep(2)
    proof.check("the caller hears music while it rings", await call.hears_something(within=3))
    await ring.answer()
    await _talk(call, ring, proof)
    await call.hang_up()
    end = await ring.ended(timeout=5)
    proof.check(f"the agent's phone is free again ({end})", end.who == "them")
    return await _row(state, watcher, proof)


async def _talk(call: Call, ring: Call, proof: Proof) -> None:
    await ring.play_tone(AGENT_HZ)
    await call.play_tone(CALLER_HZ)
    caller_hears, agent_hears = await asyncio.gather(call.hears(AGENT_HZ, within=5), ring.hears(CALLER_HZ, within=5))
    proof.check(f"the caller hears the agent ({AGENT_HZ} Hz)", caller_hears)
    proof.check(f"the agent hears the caller ({CALLER_HZ} Hz)", agent_hears)
    await asyncio.sleep(1)


async def _until_idle(state: State, agent: str) -> None:
    async with asyncio.timeout(10):
        while True:
            agents = {row["id"]: row for row in await ask(state.api_socket, "/v1/agents")}
            if agents[agent]["device"] == "idle" and agents[agent]["work"] == "idle":
                return
            await asyncio.sleep(0.1)


async def _row(state: State, watcher: Watcher, proof: Proof) -> dict[str, Any]:
    """The row of the call that was watched, once it is in the database."""
    async with asyncio.timeout(10):
        while True:
            for call_id in watcher.seen:
                with suppress(Refused):  # between its end and its row
                    answer = await ask(state.api_socket, f"/v1/calls/{call_id}")
                    if not answer["active"]:
                        return _checked(answer, proof)
            await asyncio.sleep(0.1)


def _checked(answer: dict[str, Any], proof: Proof) -> dict[str, Any]:
    row: dict[str, Any] = answer["call"]
    proof.check("the identity endpoint recognised the caller", row["customer_name"] == "张三")
    proof.check(
        "the database has the call: 8001, queue vip, ended by the caller",
        ((row["agent"], row["queue"], row["end_reason"]) == ("8001", "vip", "completed_by_caller")),
    )
    proof.check(f"and its {len(answer['events'])} events, in order", _ordered(answer["events"]))
    return row


def _ordered(stored: list[dict[str, Any]]) -> bool:
    kinds = [event["type"] for event in stored]
    wanted = ["call.arrived", "call.answered", "call.identified", "item.enqueued", "offer.created", "offer.ringing"]
    wanted += ["offer.accepted", "bridge.started", "bridge.ended", "call.ended"]
    places = [kinds.index(kind) if kind in kinds else -1 for kind in wanted]
    return -1 not in places and places == sorted(places)
