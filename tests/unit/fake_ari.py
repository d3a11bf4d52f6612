"""Asterisk's ARI, for tests of what a line that breaks does to channels: a list of them, and a WebSocket to break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from engine.asterisk.node import Arrival, Node

SOON_S = 5.0
STASIS, RINGING = "Stasis", "AppDial2"

About = dict[str, Any]


def channel(channel_id: str, *, app: str = STASIS, state: str = "Up", exten: str = "4008001234") -> About:
    """As ARI describes one."""
    return {
        "id": channel_id,
        "name": "PJSIP/carrier-00000001",
        "state": state,
        "caller": {"name": "", "number": "13800138000"},
        "language": "zh",
        "dialplan": {"exten": exten, "app_name": app, "app_data": "hotline"},
    }


async def until(condition: Callable[[], bool]) -> None:
    """Waits until it is true; fails the test when it does not become so."""
    async with asyncio.timeout(SOON_S):
        while True:
            if condition():
                return
            await asyncio.sleep(0.005)


class FakeAri:
    """Answers what Asterisk would, of channels in one application."""

    def __init__(self) -> None:
        self.channels: dict[str, About] = {}
        self.heard: list[str] = []
        self.answers = True  # whether what is heard is answered; when not, the line breaks instead
        self.on_list: Callable[[], None] = lambda: None  # while the list of channels is on its way
        self._reachable = True
        self._sockets: list[web.WebSocketResponse] = []
        self._telling: list[asyncio.Future[None]] = []

    async def breaks(self) -> None:
        """The line, until it `comes_back`."""
        self._reachable = False
        for socket in self._sockets:
            await socket.close()

    def comes_back(self) -> None:
        self._reachable, self.answers = True, True

    def tell(self, kind: str, about: About, **more: Any) -> None:
        """An event; it is read before whatever is answered from now on."""
        text = orjson.dumps({"type": kind, "channel": about, **more}).decode()
        for socket in self._sockets:
            if not socket.closed:
                self._telling.append(asyncio.ensure_future(socket.send_str(text)))

    async def until_heard(self, command: str) -> None:
        await until(lambda: command in self.heard)

    # What it serves.

    async def events(self, request: web.Request) -> web.WebSocketResponse:
        self._must_be_reachable()
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        async for message in socket:
            if message.type is not web.WSMsgType.TEXT:
                continue
            command = orjson.loads(message.data)
            query = {pair["name"]: pair["value"] for pair in command.get("query_strings", [])}
            status = self._obeyed(command["method"], command["uri"], query)
            if not self.answers:
                await self.breaks()
                break
            answer = {"type": "RESTResponse", "request_id": command["request_id"], "status_code": status}
            await socket.send_str(orjson.dumps({**answer, "message_body": "{}"}).decode())
        return socket

    def _obeyed(self, method: str, uri: str, query: dict[str, str]) -> int:
        self.heard.append(f"{method} {uri}")
        kind, _, rest = uri.partition("/")
        channel_id, _, verb = rest.partition("/")
        if kind != "channels":
            return 200
        if not rest:
            self.channels[query["channelId"]] = channel(query["channelId"], app=RINGING, state="Ringing", exten="s")
        elif channel_id not in self.channels:
            return 404
        elif method == "DELETE" and not verb:
            self.tell("ChannelDestroyed", self.channels.pop(channel_id), cause=16)
        elif self.channels[channel_id]["dialplan"]["app_name"] != STASIS:
            return 409
        elif verb == "continue":
            self.channels[channel_id]["dialplan"]["app_name"] = "Queue"
        return 200

    async def rest(self, request: web.Request) -> web.Response:
        self._must_be_reachable()
        match request.path.removeprefix("/ari/").split("/"):
            case ["api-docs", _]:
                return web.json_response({"models": {"RESTRequest": {}}})
            case ["asterisk", "info"]:
                since = "2026-01-01T00:00:00.000+0000"
                return web.json_response({"system": {"version": "22"}, "status": {"startup_time": since}})
            case ["applications", _]:
                return web.json_response({"channel_ids": list(self.channels)})
            case ["channels"]:
                listed = web.json_response(list(self.channels.values()))
                self.on_list()
                await asyncio.sleep(0.05)  # what is told meanwhile is read first
                return listed
            case _:
                return web.json_response({})

    def _must_be_reachable(self) -> None:
        if not self._reachable:
            raise web.HTTPServiceUnavailable


class Line:
    """A node, the Asterisk that it is connected to, and what the node has told the rest of the engine."""

    def __init__(self, asterisk: FakeAri, url: str) -> None:
        self.asterisk = asterisk
        self.arrived: list[Arrival] = []
        self.strangers: list[About] = []
        self.node = Node(
            url,
            "user",
            "password",
            sound=lambda name, _: name,
            recordings=Path(),
            on_arrival=self.arrived.append,
            on_device=lambda *_: None,
            on_strangers=self.strangers.extend,
        )

    async def breaks(self) -> None:
        """Returns when the node knows."""
        await self.asterisk.breaks()
        await until(lambda: not self.node.ari.up.is_set())

    async def is_back(self) -> None:
        self.asterisk.comes_back()
        await self.node.until_up(SOON_S)


@asynccontextmanager
async def line(channels: Sequence[About] = (), *, asterisk: FakeAri | None = None) -> AsyncIterator[Line]:
    """A line that is up, to an Asterisk with these channels."""
    asterisk = asterisk or FakeAri()
    asterisk.channels = {about["id"]: about for about in channels}
    app = web.Application()
    app.router.add_get("/ari/events", asterisk.events)
    app.router.add_route("*", "/ari/{what:.*}", asterisk.rest)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    there = Line(asterisk, f"http://127.0.0.1:{runner.addresses[0][1]}/ari")
    running = asyncio.ensure_future(there.node.ari.run())
    try:
        await there.node.until_up(SOON_S)
        yield there
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await runner.cleanup()
