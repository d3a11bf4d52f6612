"""The ARI connection: events and commands over one WebSocket, an HTTP pool beside it.

Asterisk serves the commands of one WebSocket one after the other, so whatever may be slow, or has a body,
goes over HTTP; so does everything where Asterisk has no REST over WebSocket (before 22.4).
Source: Asterisk documentation, "ARI REST over WebSocket".
"""

from __future__ import annotations

import asyncio
import itertools
import socket as sockets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson
import structlog

log = structlog.get_logger()

Event = dict[str, Any]
Query = Mapping[str, str | int]

# Asterisk closes a client that does not read for `websocket_write_timeout`; two lost pings mean a dead line.
PING_S = 5.0
RECONNECT_S = (0.1, 0.1, 0.2, 0.3, 0.5)
OVERDUE_CHECK_S = 0.25
# How long a command that nothing depends on may wait for company.
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

    def frame(self) -> str:
        command: dict[str, Any] = {
            "type": "RESTRequest",
            "request_id": self.id,
            "method": self.method,
            "uri": self.uri,
        }
        if self.query:
            command["query_strings"] = [{"name": name, "value": str(value)} for name, value in self.query.items()]
        return orjson.dumps(command).decode()

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
                        await self._live(session)
                        failures = 0
                    except (aiohttp.ClientError, AriError, OSError) as error:
                        failures += 1
                        log.warning("ari.unreachable", url=self._url, error=str(error))
                    await asyncio.sleep(RECONNECT_S[min(failures, len(RECONNECT_S) - 1)])
            finally:
                overdue.cancel()

    async def _live(self, session: aiohttp.ClientSession) -> None:
        query = urlencode({"app": self.app, "subscribeAll": "false"})
        async with session.ws_connect(f"{self._url}/events?{query}", heartbeat=PING_S, max_msg_size=0) as socket:
            reader = asyncio.ensure_future(self._read(socket))
            writer: asyncio.Future[None] | None = None
            try:
                self.rest_over_websocket = self._may_use_websocket and await self._has_rest_over_websocket()
                await self._on_up()
                # What the lost line may have swallowed goes out again, first and in its order.
                self._outbox, self._lazy = list(self._pending.values()), []
                self._news.set()
                writer = asyncio.ensure_future(self._write(socket) if self.rest_over_websocket else self._write_http())
                self.up.set()
                log.info("ari.up", url=self._url, app=self.app, rest_over_websocket=self.rest_over_websocket)
                await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self.up.clear()
                for task in (reader, writer):
                    if task is not None:
                        task.cancel()
                await asyncio.wait({task for task in (reader, writer) if task is not None})

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            event: Event = orjson.loads(message.data)
            if event["type"] == "RESTResponse":
                command = self._pending.pop(event["request_id"], None)
                if command is not None:
                    command.settle(event["status_code"], event.get("message_body") or "")
            elif event["type"] == "ApplicationReplaced":
                log.error("ari.replaced", app=self.app, remedy="another engine uses this application name; stop one")
            else:
                self._on_event(event)

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Sends what has gathered. The first command leaves at once, it may be one that somebody waits for; the
        others as one piece, since a segment that wakes Asterisk costs more than the commands in it."""
        tcp: sockets.socket = socket.get_extra_info("socket")
        while True:
            first, *others = await self._gathered()
            await socket.send_str(first.frame())
            if others:
                tcp.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_CORK, 1)
                for command in others:
                    await socket.send_str(command.frame())
                tcp.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_CORK, 0)

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
        while not (commands := self._outbox + self._lazy):
            self._news.clear()
            await self._news.wait()
        self._outbox, self._lazy = [], []
        return commands

    async def _expire(self) -> None:
        """One clock for all deadlines; a timer for each command would cost more than the command."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(OVERDUE_CHECK_S)
            now = loop.time()
            for command in [c for c in self._pending.values() if c.due < now]:
                del self._pending[command.id]
                command.fail(AriError(f"{command.method} {command.uri}: no answer in time"))

    async def _has_rest_over_websocket(self) -> bool:
        description = await self.http("GET", "../ari/api-docs/events.json")
        return isinstance(description, dict) and "RESTRequest" in description.get("models", {})

    def send(
        self, method: str, uri: str, query: Query | None = None, *, deadline_s: float = 2.0, lazily: bool = False
    ) -> asyncio.Future[Any]:
        """A command with no body, sent in the order of asking; the future has its answer, AriRefused, or
        AriError after `deadline_s` seconds. Commands issued together travel together; one sent `lazily` waits
        a moment for others, and goes behind them.

        A command that a lost line may have swallowed is sent again after the reconnection, which is why
        everything is created under our own ids.
        """
        loop = asyncio.get_running_loop()
        command = _Command(next(self._ids), method, uri, query or {}, loop.create_future(), loop.time() + deadline_s)
        self._pending[command.id] = command
        if lazily:
            self._lazy.append(command)
            loop.call_later(LAZY_S, self._news.set)
        else:
            self._outbox.append(command)
            self._news.set()
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
