"""Delivers messages to the company's endpoint, as often as it takes: docs/voicemail.md has the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import orjson
import structlog
from yarl import URL

from engine.http.line import HttpLine, NoAnswer
from engine.http.signature import REQUEST_HEADER, now_ms, signed
from engine.journal.events import Event, MessageDelivered, MessageFailed, MessageQueued
from engine.messages.outbox import Message, Outbox, message_id
from engine.redis_line import LineDown

log = structlog.get_logger(__name__)

VERSION = 1
AT_ONCE = 4
# Another engine's messages, and a clock that was set, are noticed so late.
LOOK_EVERY_S = 5.0
# After the first try in vain, after the second, and so on; the last for all that follow.
PAUSES_S = (2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
# Over the request's own deadline: then its taker must be dead.
LEASE_MARGIN_S = 30.0
LONGEST_TEXT, LONGEST_TO = 1000, 256
# Statuses by which an endpoint says that another time will do (RFC 9110, RFC 8470); 429 and 5xx never come this far.
_LATER = (408, 425)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where messages go. `deadline_s`: for one request; `give_up_after_s`: for all tries of a message."""

    url: str
    secret: str
    deadline_s: float = 5.0
    give_up_after_s: float = 86_400.0


class Courier:
    """Takes messages from calls, which never wait for the endpoint, and delivers them from its own task.

    Without an endpoint it refuses them. `open` it before `run`, which delivers until it is cancelled.
    """

    def __init__(self, outbox: Outbox, endpoint: Endpoint | None, note: Callable[[Event], None]) -> None:
        self._outbox = outbox
        self.endpoint = endpoint
        self._note = note
        self._wanted = asyncio.Event()
        self._line = HttpLine(in_flight=AT_ONCE)

    async def send(
        self, call: str, to: str, text: str, *, event: str = "message", facts: Mapping[str, str | int] | None = None
    ) -> bool:
        """Accepts a message; False when it cannot be kept. The same message of the same call is sent once."""
        if self.endpoint is None:
            return False
        to, text = _storable(to[:LONGEST_TO]), _storable(text[:LONGEST_TEXT])
        identity = message_id(call, event, to, text)
        message = Message(identity, call, event, to, text, facts or {}, queued_ms=now_ms())
        try:
            accepted = await self._outbox.put(message)
        except LineDown as error:
            log.warning("message.not_kept", call=call, why=str(error))
            return False
        if not accepted:
            log.error("message.not_kept", call=call, why="too many wait", remedy="`hotline messages` says why")
            return False
        self._note(MessageQueued(call, now_ms(), message=identity, to=to))
        self._wanted.set()
        return True

    async def run(self) -> None:
        """Delivers until cancelled."""
        await self._line.open()
        try:
            while True:
                try:
                    if self.endpoint is None:  # a reload may bring one
                        await asyncio.sleep(LOOK_EVERY_S)
                        continue
                    await self._deliver_due(self.endpoint)
                    await self._rest()
                except LineDown:
                    await asyncio.sleep(LOOK_EVERY_S)
                except Exception:
                    # Nothing else restarts this task, and what was taken comes back.
                    log.exception("message.courier_stumbled")
                    await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await self._line.close()

    async def _deliver_due(self, endpoint: Endpoint) -> None:
        self._wanted.clear()
        lease_ms = round((endpoint.deadline_s + LEASE_MARGIN_S) * 1000)
        while taken := await self._outbox.take(now_ms(), lease_ms=lease_ms, most=AT_ONCE):
            await asyncio.gather(*(self._deliver(endpoint, message) for message in taken))

    async def _rest(self) -> None:
        """Until the next one is due, or comes."""
        due_ms = await self._outbox.next_due_ms()
        wait_s = LOOK_EVERY_S if due_ms is None else min(LOOK_EVERY_S, max(0.0, (due_ms - now_ms()) / 1000))
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._wanted.wait()

    async def _deliver(self, endpoint: Endpoint, message: Message) -> None:
        fault, again = await self._post(endpoint, message)
        tries, at = message.tries + 1, now_ms()
        if not fault:
            await self._outbox.done(message)
            self._note(MessageDelivered(message.call, at, message=message.id, tries=tries))
        elif again and at - message.queued_ms < endpoint.give_up_after_s * 1000:
            log.warning("message.delayed", call=message.call, id=message.id, tries=tries, why=fault)
            pause_s = PAUSES_S[min(message.tries, len(PAUSES_S) - 1)]
            await self._outbox.later(replace(message, tries=tries, fault=fault), at + round(pause_s * 1000))
        else:
            log.error("message.given_up", call=message.call, id=message.id, tries=tries, why=fault)
            await self._outbox.done(message)
            self._note(MessageFailed(message.call, at, message=message.id, reason=fault))

    async def _post(self, endpoint: Endpoint, message: Message) -> tuple[str, bool]:
        """What went wrong, "" for nothing; and whether another time will do."""
        timestamp = now_ms()
        body = orjson.dumps(
            {
                **message.facts,
                "version": VERSION,
                "event": message.event,
                "id": message.id,
                "call_id": message.call,
                "to": message.to,
                "text": message.text,
                "queued_ms": message.queued_ms,
                "timestamp": timestamp,
            }
        )
        proof = signed(endpoint.secret.encode(), timestamp, body)
        headers = {**proof, REQUEST_HEADER: message.id, "Content-Type": "application/json"}
        try:
            heard = await self._line.ask(
                "POST", URL(endpoint.url), headers=headers, body=body, deadline_s=endpoint.deadline_s
            )
        except NoAnswer as none:
            return none.detail, True
        if 200 <= heard.status < 300:
            return "", False
        return f"HTTP {heard.status}", heard.status in _LATER


def _storable(text: str) -> str:
    """A name in a broken encoding holds what JSON cannot."""
    return text.encode("utf-8", "replace").decode()
