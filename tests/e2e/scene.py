"""One test's callers and agents around one hotline, and what must be true when they have all gone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import orjson
import pytest

from engine.api.client import ask
from phones import Call, Carrier, Phone, Phones, RegistrationFailed
from tests.e2e.hotline import Hotline, Json
from tests.e2e.site_of_tones import NUMBER, POOL, PROMPTS_HZ, RULES
from tests.e2e.waiting import until, until_none

GREETING_HZ, MENU_HZ = PROMPTS_HZ["welcome"], PROMPTS_HZ["menu-main"]
CALLER_HZ, AGENT_HZ = 1170, 430

SOON_S = 10.0
REGISTER_AGAIN_S = 0.3
CLEAN_WITHIN_S = 8.0
HELD_BACK_MS = 500
# What may still be said of a call that has ended; and of one whose caller is back in the dialplan.
AFTERWARDS = {"wrapup.changed", "wrapup.ended", "voicemail.heard", "voicemail.deleted", "callback.closed"}
IN_THE_DIALPLAN = {"ivr.played", "survey.answered"}


class Scene:
    """What a test places and registers here is checked, and ended, when it is over."""

    def __init__(self, hotline: Hotline, phones: Phones, carrier: Carrier) -> None:
        self.hotline = hotline
        self._phones, self._carrier = phones, carrier
        self._seats: dict[str, Phone] = {}
        self._branches: list[Phone] = []
        self._vanished: list[str] = []
        self._placed: list[Call] = []
        self._rows_before: set[str] = set()
        self._rows_expected = self._rows_possible = 0

    # Who is there.

    async def open(self) -> None:
        self._rows_before = {row["id"] for row in await self.hotline.ended_calls()}

    async def agents(self, count: int, pool: Sequence[str] = POOL) -> list[Phone]:
        """So many registered agents that can be offered a call, the longest idle first."""
        agents = await self.hotline.ask("/v1/agents")
        free = [agent["id"] for agent in agents if agent["id"] in pool and _untouched(agent)]
        assert len(free) >= count, f"only {free} of the pool are untouched; make it larger"
        return [await self.phone(user) for user in free[:count]]

    async def agent(self) -> Phone:
        (phone,) = await self.agents(1)
        return phone

    async def phone(self, user: str) -> Phone:
        """An agent's phone, registered, and known to the ACD as such."""
        password = self.hotline.state.secret(f"phone-{user}")
        phone = await self._phones.phone(user, password=password)
        self._seats[user] = phone
        await self.until_device(user, "idle")
        return phone

    async def branch(self, extension: str) -> Phone:
        """The phone of a branch, registered."""
        phone = await self._phones.phone(extension, password=self.hotline.state.secret(f"phone-{extension}"))
        self._branches.append(phone)
        return phone

    async def far_end(self) -> Carrier:
        """Where calls to the outside arrive."""
        return await self._phones.carrier(port=self.hotline.far_end_port)

    async def phone_back(self, user: str) -> Phone:
        """The phone of an Asterisk that has just been started again: like any phone, it tries until it is let in.
        ARI answers before PJSIP knows its endpoints."""
        async with asyncio.timeout(SOON_S):
            while True:
                try:
                    return await self.phone(user)
                except RegistrationFailed:
                    await asyncio.sleep(REGISTER_AGAIN_S)

    def vanish(self, phone: Phone) -> None:
        """The phone loses its power; Asterisk still takes it for registered."""
        phone.vanish()
        self._vanished.append(self.user(phone))

    def seat(self, user: str) -> Phone:
        """The phone that was registered for an agent."""
        return self._seats[user]

    def user(self, phone: Phone) -> str:
        return next(user for user, seat in self._seats.items() if seat is phone)

    async def until_device(self, user: str, device: str, *, within: float = SOON_S) -> None:
        async def so() -> bool:
            return bool((await self.hotline.agent(user))["device"] == device)

        await until(so, within=within, what=f"the ACD sees phone {user} {device}")

    async def until_agent(self, user: str, *, within: float = SOON_S, **wanted: Any) -> Json:
        """Waits until the ACD says so of an agent, such as `work="idle"`."""

        agent: Json = {}

        async def unlike() -> list[str]:
            agent.update(await self.hotline.agent(user))
            return [f"{user}'s {name} is {agent[name]}" for name, value in wanted.items() if agent[name] != value]

        await until_none(unlike, within=within)
        return agent

    async def intent(self, user: str, intent: str) -> None:
        """An agent who is ready, or not."""
        await ask(self.hotline.state.api_socket, f"/v1/agents/{user}/intent", body={"intent": intent})

    # Calls.

    async def dial(
        self,
        caller: str,
        *,
        number: str = NUMBER,
        display: str = "",
        headers: Mapping[str, str] | None = None,
        accounted: bool | None = True,
    ) -> Call:
        """A call from the carrier. When the test is over it must have a row, or none (`accounted=False`), or
        (None) it depends on who was first."""
        call = await self._carrier.call(number, caller=caller, display=display, headers=headers)
        self._placed.append(call)
        self._rows_expected += accounted is True
        self._rows_possible += accounted is not False
        return call

    def expect_another_row(self) -> None:
        """For a caller whom the dialplan lends to the engine twice."""
        self._rows_expected += 1
        self._rows_possible += 1

    async def in_menu(self, caller: str) -> Call:
        """A caller who hears the menu."""
        call = await self.dial(caller)
        await call.answered()
        assert await call.hears(MENU_HZ, within=SOON_S), "the menu was not heard"
        return call

    async def queued(self, caller: str, key: str = "1") -> Call:
        """A caller who knows the menu by heart, has pressed its key at once and is in the queue."""
        call = await self.dial(caller)
        await call.answered()
        await call.press(key)
        await self.until_active(caller, "phase", "waiting", "talking")
        return call

    async def until_active(self, caller: str, field: str, *values: str, within: float = SOON_S) -> Json:
        """Waits until the engine says so of a caller's call."""

        async def so() -> Json | None:
            active = await self.hotline.active_calls()
            return next((c for c in active if c["raw"] == caller and c[field] in values), None)

        found = await until(so, within=within, what=f"the call of {caller} has {field} in {values}")
        assert found is not None
        return found

    async def in_line(self, caller: str, key: str) -> Call:
        """A caller in the queue of flows/rules.yaml that the key leads to, or where it leads on from there."""
        call = await self.dial(caller, number=RULES)
        await call.answered()
        await call.press(key)
        return call

    async def talking(self, caller: str, agent: Phone) -> tuple[Call, Call]:
        """A caller and an agent in conversation."""
        call = await self.queued(caller)
        ring = await agent.ringing()
        await ring.answer()
        await self.until_connected(caller)
        return call, ring

    async def until_connected(self, caller: str) -> None:
        """Waits until the engine has them bridged."""

        async def so() -> bool:
            return any(c["raw"] == caller and c["connected_ms"] for c in await self.hotline.active_calls())

        await until(so, within=SOON_S, what=f"{caller} is connected")

    async def until_left(self, endpoint: str) -> None:
        """Waits until Asterisk has no leg any more with that agent or trunk: so it has told the engine."""

        async def legs() -> list[str]:
            names = [channel["name"] for channel in await self.hotline.ari("channels")]
            return [name for name in names if name.startswith(f"PJSIP/{endpoint}-")]

        await until_none(legs, within=SOON_S)

    # What is written.

    async def row(self, caller: str) -> Json:
        """The one row of a caller's call, once it is written."""

        async def written() -> list[Json]:
            return [row for row in await self._rows() if row["number"] == caller]

        number = caller
        caller = f"+86{number}" if number else ""
        (row,) = await until(written, within=SOON_S, what=f"a row for the call of {number or 'nobody'}")
        return row

    async def events_of(self, row: Json) -> list[Json]:
        return await self.hotline.events(row["id"])

    async def event(self, row: Json, kind: str) -> Json:
        """An event that may come after the row."""

        async def so() -> Json | None:
            return next((event for event in await self.events_of(row) if event["type"] == kind), None)

        found = await until(so, within=SOON_S, what=f"an event {kind}")
        assert found is not None
        return found

    async def story(self) -> str:
        """Every call since the scene began, for whoever looks into a test that failed."""
        lines = []
        for call in (*await self.hotline.active_calls(), *await self._rows()):
            lines.append(f"{call['id']} from {call['raw'] if 'raw' in call else call['number']}")
            for event in await self.events_of(call):
                said = {name: value for name, value in event.items() if name not in ("id", "at", "type", "call")}
                lines.append(f"  {event['at']} {event['type']} {orjson.dumps(said).decode()}"[:300])
        return "\n".join(lines)

    async def _rows(self) -> list[Json]:
        return [row for row in await self.hotline.ended_calls() if row["id"] not in self._rows_before]

    # The end.

    async def close(self) -> None:
        """Everybody hangs up and goes home."""
        for call in self._placed:
            await call.hang_up()
        for user in self._vanished:  # so that its registration goes with it
            password = self.hotline.state.secret(f"phone-{user}")
            self._seats[user] = await self._phones.phone(user, password=password)
        for phone in (*self._seats.values(), *self._branches):
            await phone.close()

    async def check_clean(self) -> None:
        """No leak, and one row with its events in order for each call. Fails the test otherwise."""
        await until_none(self.leftovers, within=CLEAN_WITHIN_S)
        await until(self._all_rows, within=SOON_S, what=f"{self._rows_expected} rows")
        rows = await self._rows()
        assert self._rows_expected <= len(rows) <= self._rows_possible, [
            (row["number"], row["end_reason"]) for row in rows
        ]
        for row in rows:
            check_events(row, await self.events_of(row))

    async def leftovers(self) -> list[str]:
        """Whatever of a call is still somewhere."""
        hotline = self.hotline
        left = [f"channel {c['name']} in {c['state']}" for c in await hotline.ari("channels")]
        left += [f"bridge {b['id']} of {b['creator']}" for b in await hotline.ari("bridges")]
        left += [f"{q['waiting']} waiting in {q['queue']}" for q in await hotline.ask("/v1/queues") if q["waiting"]]
        for agent in await hotline.ask("/v1/agents"):
            if agent["work"] not in ("idle", "wrapup"):
                left.append(f"agent {agent['id']} {agent['work']}")
            if agent["id"] in self._seats and agent["device"] != "down":
                left.append(f"phone {agent['id']} {agent['device']}")
        left += [f"call of {c['raw']} {c['phase']}" for c in await hotline.active_calls()]
        return left

    async def _all_rows(self) -> bool:
        return len(await self._rows()) >= self._rows_expected


def check_events(row: Json, events: list[Json]) -> None:
    """What is true of every call's events."""
    kinds = [event["type"] for event in events]
    assert kinds[0] == "call.arrived", kinds
    assert kinds.count("call.arrived") == kinds.count("call.ended") == 1, kinds
    afterwards = AFTERWARDS | (IN_THE_DIALPLAN if row["end_reason"] == "returned" else set())
    assert set(kinds[kinds.index("call.ended") + 1 :]) <= afterwards, kinds
    ids = [tuple(map(int, event["id"].split("-"))) for event in events]
    assert ids == sorted(ids)
    # Redis writes its own at once; the engine's, made before, may have waited for company, and for a processor.
    assert all(after["at"] >= before["at"] - HELD_BACK_MS for before, after in pairwise(events)), kinds
    assert {event["call"] for event in events} == {row["id"]}
    if row["direction"] == "in":  # the offers of a callback are its own events, not those of the call that came of it
        # Who hangs up in the moment of a decision may leave before their call has heard of it: nobody's phone has rung.
        unheard = kinds.count("offer.created") - row["offers"]
        left = row["end_reason"].startswith("abandoned")
        assert 0 <= unheard <= (kinds.count("offer.cancelled") if left else 0), kinds
    assert row["arrived_ms"] <= row["ended_ms"]


def _untouched(agent: Json) -> bool:
    rested = agent["intent"] == "ready" and agent["work"] == "idle" and agent["device"] == "down"
    return rested and not agent["misses"] and not agent["cool_until_ms"]


def kinds_of(events: list[Json]) -> list[str]:
    return [event["type"] for event in events]


def only(events: list[Json], kind: str) -> Json:
    """The one event of that kind."""
    found = [event for event in events if event["type"] == kind]
    if len(found) != 1:
        pytest.fail(f"{len(found)} events {kind} among {kinds_of(events)}")
    return found[0]
