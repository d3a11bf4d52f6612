"""The ARI connection: events and commands over one WebSocket, an HTTP pool beside it.

Asterisk serves the commands of one WebSocket one after the other, so whatever may be slow, or has a body,
goes over HTTP; so does everything where Asterisk has no REST over WebSocket (before 22.4).
Source: Asterisk documentation, "ARI REST over WebSocket".
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson
import structlog

from engine.asterisk.websocket import NoWebSocket, WebSocket, connect
from engine.beat import until_beat_s

log = structlog.get_logger()

Event = dict[str, Any]
Query = Mapping[str, str | int]

# Asterisk closes a client that does not read for `websocket_write_timeout`; two lost pings mean a dead line.
PING_S = 5.0
RECONNECT_S = (0.1, 0.1, 0.2, 0.3, 0.5)
OVERDUE_CHECK_S = 0.5
# How long a command that nobody waits for may wait for company.
LAZY_S = 0.005


class AriError(Exception):
    """Asterisk could not be asked, or did not answer before the deadline."""


class AriRefused(AriError):  # noqa: N818 - it is Asterisk that refuses
    """Asterisk answered with an error status."""

    def __init__(self, status: int, what: str, message: str) -> None:
        super().__init__(f"{what}: {status} {message}")
        self.status = status


@dataclass(slots=True)
class _Command:
    """A command on its way; it stays pending over a reconnection, until its answer or its deadline."""

    id: str
    method: str
    uri: str
    query: Query
    reply: asyncio.Future[Any]
    due: float

    def text(self) -> bytes:
        command: dict[str, Any] = {
            "type": "RESTRequest",
            "request_id": self.id,
            "method": self.method,
            "uri": self.uri,
        }
        if self.query:
            command["query_strings"] = [{"name": name, "value": str(value)} for name, value in self.query.items()]
        return orjson.dumps(command)

    def settle(self, status: int, text: str) -> None:
        if not self.reply.done():
            try:
                self.reply.set_result(_body(status, text, f"{self.method} {self.uri}"))
            except AriRefused as refused:
                self.reply.set_exception(refused)

    def fail(self, error: AriError) -> None:
        if not self.reply.done():
            self.reply.set_exception(error)


class Ari:
    """One application's line to one Asterisk.

    `on_event` is called for each event from the reader itself and must only note it: it may not await.
    `on_up` runs after every (re)connection, before any command waiting for it goes out; it resynchronises.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        app: str,
        *,
        on_event: Callable[[Event], None],
        on_up: Callable[[], Awaitable[None]],
        over_websocket: bool = True,
    ) -> None:
        self.app = app
        self.up = asyncio.Event()
        self.rest_over_websocket = False
        self._url = url.rstrip("/")
        self._auth = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        self._on_event, self._on_up = on_event, on_up
        self._may_use_websocket = over_websocket
        self._ids = map(str, itertools.count(1))
        self._pending: dict[str, _Command] = {}
        self._outbox: list[_Command] = []
        self._lazy: list[_Command] = []
        self._news = asyncio.Event()
        self._socket: WebSocket | None = None  # that commands go over, while there is one
        self._turning: asyncio.Handle | None = None
        self._session: aiohttp.ClientSession | None = None

    async def run(self) -> None:
        """Connects, reads, reconnects, until cancelled."""
        async with aiohttp.ClientSession(headers=self._auth, connector=aiohttp.TCPConnector(limit=16)) as session:
            self._session = session
            overdue = asyncio.ensure_future(self._expire())
            failures = 0
            try:
                while True:
                    try:
                        await self._live()
                        failures = 0
                    except (AriError, NoWebSocket) as error:
                        failures += 1
                        log.warning("ari.unreachable", url=self._url, error=str(error))
                    await asyncio.sleep(RECONNECT_S[min(failures, len(RECONNECT_S) - 1)])
            finally:
                overdue.cancel()

    async def _live(self) -> None:
        query = urlencode({"app": self.app, "subscribeAll": "false"})
        url = f"{self._url}/events?{query}"
        socket = await connect(url, self._auth, self._told, ping_s=PING_S)
        writer: asyncio.Future[None] | None = None
        try:
            self.rest_over_websocket = self._may_use_websocket and await self._has_rest_over_websocket()
            await self._on_up()
            # What the lost line may have swallowed, and somebody still wants, goes out again, first and in its order.
            self._outbox, self._lazy = [c for c in self._pending.values() if not c.reply.cancelled()], []
            if self.rest_over_websocket:
                self._socket = socket
                self._write_outbox()
            else:
                writer = asyncio.ensure_future(self._write_http())
            self.up.set()
            log.info("ari.up", url=self._url, app=self.app, rest_over_websocket=self.rest_over_websocket)
            log.warning("ari.lost", url=self._url, why=await socket.lost)
        finally:
            self.up.clear()
            self._socket = None
            socket.close()
            if writer is not None:
                writer.cancel()
                await asyncio.wait({writer})

    def _told(self, text: bytes) -> None:
        event: Event = orjson.loads(text)
        if event["type"] == "RESTResponse":
            command = self._pending.pop(event["request_id"], None)
            if command is not None:
                command.settle(event["status_code"], event.get("message_body") or "")
        elif event["type"] == "ApplicationReplaced":
            log.error("ari.replaced", app=self.app, remedy="another engine uses this application name; stop one")
        else:
            self._on_event(event)

    def _write(self, commands: Sequence[_Command]) -> None:
        """What is said first leaves at once, somebody may wait for it; whatever follows before the loop turns leaves as
        one piece, since a segment that wakes Asterisk costs more than the commands in it."""
        self._outbox += commands
        if self._turning is None:
            self._turning = asyncio.get_running_loop().call_soon(self._turned)
            self._write_outbox()

    def _turned(self) -> None:
        self._turning = None
        self._write_outbox()

    def _write_lazy(self) -> None:
        lazy, self._lazy = self._lazy, []
        self._write(lazy)

    def _write_outbox(self) -> None:
        if self._socket is None:  # it is HTTP's turn, or there is no line, and what is pending goes out when there is
            self._news.set()
        elif self._outbox:
            commands, self._outbox = self._outbox, []
            self._socket.send([command.text() for command in commands])

    async def _write_http(self) -> None:
        """The same order without REST over WebSocket: one command after the other."""
        while True:
            for command in await self._gathered():
                try:
                    command.reply.set_result(await self.http(command.method, command.uri, command.query))
                except AriError as error:
                    command.fail(error)
                except asyncio.InvalidStateError:
                    pass  # whoever asked is gone
                self._pending.pop(command.id, None)

    async def _gathered(self) -> list[_Command]:
        while not self._outbox:
            self._news.clear()
            await self._news.wait()
        commands, self._outbox = self._outbox, []
        return commands

    async def _expire(self) -> None:
        """One clock for all deadlines; a timer for each command would cost more than the command."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(until_beat_s(OVERDUE_CHECK_S))
            now = loop.time()
            for command in [c for c in self._pending.values() if c.due < now]:
                del self._pending[command.id]
                command.fail(AriError(f"{command.method} {command.uri}: no answer in time"))

    async def _has_rest_over_websocket(self) -> bool:
        description = await self.http("GET", "../ari/api-docs/events.json")
        return isinstance(description, dict) and "RESTRequest" in description.get("models", {})

    def send(
        self,
        method: str,
        uri: str,
        query: Query | None = None,
        *,
        deadline_s: float = 2.0,
        lazily: bool = False,
        overtaking: bool = False,
    ) -> asyncio.Future[Any]:
        """A command with no body, sent in the order of asking; the future has its answer, AriRefused, or
        AriError after `deadline_s` seconds. Commands issued together travel together. One sent `lazily` waits
        a moment, and leaves with the next command, ahead of it, unless that is one `overtaking` it.

        A command that a lost line may have swallowed is sent again after the reconnection, unless its future has been
        cancelled, which is why everything is created under our own ids.
        """
        loop = asyncio.get_running_loop()
        command = _Command(next(self._ids), method, uri, query or {}, loop.create_future(), loop.time() + deadline_s)
        self._pending[command.id] = command
        if lazily:
            if not self._lazy:
                loop.call_later(LAZY_S, self._write_lazy)
            self._lazy.append(command)
        elif overtaking:
            self._write([command])
        else:
            lazy, self._lazy = self._lazy, []
            self._write([*lazy, command])
        return command.reply

    async def request(self, method: str, uri: str, query: Query | None = None, *, deadline_s: float = 2.0) -> Any:
        """send(), and wait for the answer. Raises AriRefused, AriError."""
        return await self.send(method, uri, query, deadline_s=deadline_s)

    async def http(self, method: str, uri: str, query: Query | None = None, *, body: Any = None) -> Any:
        """A command over the HTTP pool: for what has a body or may be slow. Raises AriRefused, AriError."""
        assert self._session is not None  # noqa: S101 - run() made it; there is no line without it
        try:
            async with self._session.request(
                method,
                f"{self._url}/{uri}",
                params=query or None,
                json=body,
                timeout=aiohttp.ClientTimeout(total=10),
            ) as response:
                return _body(response.status, await response.text(), f"{method} {uri}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise AriError(f"{method} {uri}: {error or 'no answer in 10 s'}") from error


def _body(status: int, text: str, what: str) -> Any:
    if 200 <= status < 300:
        return orjson.loads(text) if text else None
    try:
        message = orjson.loads(text).get("message", text)
    except orjson.JSONDecodeError:
        message = text
    raise AriRefused(status, what, message)
