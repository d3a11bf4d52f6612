"""The ARI connection: events and commands over one WebSocket, an HTTP pool beside it.

Asterisk serves the commands of one WebSocket one after the other, so whatever may be slow, or has a body,
goes over HTTP; so does everything where Asterisk has no REST over WebSocket (before 22.4).
Source: Asterisk documentation, "ARI REST over WebSocket".
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
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


class AriError(Exception):
    """Asterisk could not be asked, or did not answer before the deadline."""


class AriRefused(AriError):  # noqa: N818 - it is Asterisk that refuses
    """Asterisk answered with an error status."""

    def __init__(self, status: int, what: str, message: str) -> None:
        super().__init__(f"{what}: {status} {message}")
        self.status = status


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
        on_down: Callable[[], None] = lambda: None,
        over_websocket: bool = True,
    ) -> None:
        self.app = app
        self.up = asyncio.Event()
        self.rest_over_websocket = False
        self._url = url.rstrip("/")
        self._auth = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        self._on_event, self._on_up, self._on_down = on_event, on_up, on_down
        self._may_use_websocket = over_websocket
        self._pending: dict[str, asyncio.Future[Event]] = {}
        self._ids = map(str, itertools.count(1))
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._session: aiohttp.ClientSession | None = None

    async def run(self) -> None:
        """Connects, reads, reconnects, until cancelled."""
        async with aiohttp.ClientSession(headers=self._auth, connector=aiohttp.TCPConnector(limit=16)) as session:
            self._session = session
            failures = 0
            while True:
                try:
                    await self._live(session)
                    failures = 0
                except (aiohttp.ClientError, AriError, OSError) as error:
                    failures += 1
                    log.warning("ari.unreachable", url=self._url, error=str(error))
                await asyncio.sleep(RECONNECT_S[min(failures, len(RECONNECT_S) - 1)])

    async def _live(self, session: aiohttp.ClientSession) -> None:
        query = urlencode({"app": self.app, "subscribeAll": "false"})
        async with session.ws_connect(f"{self._url}/events?{query}", heartbeat=PING_S, max_msg_size=0) as socket:
            reader = asyncio.ensure_future(self._read(socket))
            try:
                self._socket = socket
                self.rest_over_websocket = self._may_use_websocket and await self._has_rest_over_websocket()
                await self._on_up()
                self.up.set()
                log.info("ari.up", url=self._url, app=self.app, rest_over_websocket=self.rest_over_websocket)
                await reader
            finally:
                self.up.clear()
                self._socket = None
                reader.cancel()
                pending, self._pending = self._pending, {}
                for reply in pending.values():
                    if not reply.done():
                        reply.set_exception(AriError("the line to Asterisk was lost"))
                self._on_down()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            event: Event = orjson.loads(message.data)
            if event["type"] == "RESTResponse":
                reply = self._pending.pop(event["request_id"], None)
                if reply is not None and not reply.done():
                    reply.set_result(event)
            elif event["type"] == "ApplicationReplaced":
                log.error("ari.replaced", app=self.app, remedy="another engine uses this application name; stop one")
            else:
                self._on_event(event)

    async def _has_rest_over_websocket(self) -> bool:
        description = await self.http("GET", "../ari/api-docs/events.json")
        return isinstance(description, dict) and "RESTRequest" in description.get("models", {})

    async def request(self, method: str, uri: str, query: Query | None = None, *, deadline_s: float = 2.0) -> Any:
        """A command with no body, in the order of asking. Waits out a reconnection; a command that the
        lost line may have swallowed is sent again, which is why everything is created under our own ids.

        Raises AriRefused, or AriError when there is no answer in `deadline_s` seconds.
        """
        try:
            async with asyncio.timeout(deadline_s):
                while True:
                    if not self.rest_over_websocket or self._socket is None:
                        await self.up.wait()
                    try:
                        return await self._ask(method, uri, query or {})
                    except AriRefused:
                        raise
                    except (AriError, ConnectionError) as error:
                        log.warning("ari.retry", method=method, uri=uri, error=str(error))
                        await asyncio.sleep(RECONNECT_S[0])
        except TimeoutError:
            raise AriError(f"{method} {uri}: no answer in {deadline_s} s") from None

    async def _ask(self, method: str, uri: str, query: Query) -> Any:
        socket = self._socket
        if not self.rest_over_websocket or socket is None:
            return await self.http(method, uri, query)
        request_id = next(self._ids)
        reply: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._pending[request_id] = reply
        full_uri = f"{uri}?{urlencode(query)}" if query else uri
        command = {"type": "RESTRequest", "request_id": request_id, "method": method, "uri": full_uri}
        try:
            await socket.send_str(orjson.dumps(command).decode())
            answer = await reply
        finally:
            self._pending.pop(request_id, None)
        return _body(answer["status_code"], answer.get("message_body") or "", f"{method} {uri}")

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
