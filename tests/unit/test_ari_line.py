"""The line to Asterisk: what is told arrives whole and in order, and what is asked leaves in the order of asking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from socket import SHUT_RDWR

import orjson
import pytest
from aiohttp import web

from engine.asterisk.ari import LAZY_S, Ari, AriRefused
from engine.asterisk.websocket import NoWebSocket, connect

Serve = Callable[[web.WebSocketResponse], Awaitable[None]]
LONG = "x" * 70_000


@asynccontextmanager
async def asterisk(serve: Serve) -> AsyncIterator[str]:
    """One whose WebSockets are served so; where its ARI is."""

    async def events(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        await serve(socket)
        return socket

    async def described(_: web.Request) -> web.Response:
        return web.json_response({"models": {"RESTRequest": {}}})

    app = web.Application()
    app.router.add_get("/ari/events", events)
    app.router.add_get("/ari/api-docs/events.json", described)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/ari"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Ari]:
    async def nothing_to_catch_up() -> None: ...

    ari = Ari(url, "user", "password", "hotline", on_event=lambda _: None, on_up=nothing_to_catch_up)
    running = asyncio.ensure_future(ari.run())
    try:
        await asyncio.wait_for(ari.up.wait(), 5)
        yield ari
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def answers(socket: web.WebSocketResponse, heard: list[str], status: int = 200) -> None:
    """Serves as Asterisk does; `heard` are the commands, by their URIs."""
    async for message in socket:
        if message.type is not web.WSMsgType.TEXT:
            continue
        command = orjson.loads(message.data)
        heard.append(command["uri"])
        answer = {"type": "RESTResponse", "request_id": command["request_id"], "status_code": status}
        await socket.send_str(orjson.dumps(answer).decode())


def deaf_at_first(heard: list[str]) -> Serve:
    """Hangs up on the first word of the first connection, and answers from then on."""
    connections = 0

    async def serve(socket: web.WebSocketResponse) -> None:
        nonlocal connections
        connections += 1
        if connections == 1:
            await socket.receive()
            return
        await answers(socket, heard)

    return serve


async def test_what_is_told_arrives_whole_however_it_is_cut() -> None:
    told: list[bytes] = []
    all_told = asyncio.Event()
    texts = ["short", "a little longer" * 20, LONG, "", "the last"]

    def note(text: bytes) -> None:
        told.append(text)
        if text == b"the last":
            all_told.set()
        if text == b"short":
            raise RuntimeError("a fault of whoever listens")  # concerns this one text only

    async def tell(socket: web.WebSocketResponse) -> None:
        for text in texts:
            await socket.send_str(text)
        await socket.receive()

    async with asterisk(tell) as url, cut_up(url) as cut:
        socket = await connect(f"{cut}/events?app=x", {}, note, ping_s=5)
        await asyncio.wait_for(all_told.wait(), 20)
        socket.abort()
    assert told == [text.encode() for text in texts]


@asynccontextmanager
async def cut_up(url: str) -> AsyncIterator[str]:
    """The same server behind somebody who passes on what it says in small pieces."""
    port = int(url.rpartition(":")[2].partition("/")[0])

    async def pass_on(caller: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(await caller.readuntil(b"\r\n\r\n"))
        sizes = [1, 2, 3, 5, 4001]
        while piece := await reader.read(sizes[0]):
            sizes.append(sizes.pop(0))
            back.write(piece)
            await back.drain()
            await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ari"


async def test_commands_leave_in_order_the_lazy_ones_with_the_next_and_a_dial_before_them() -> None:
    heard: list[str] = []
    async with asterisk(lambda socket: answers(socket, heard)) as url, line_to(url) as ari:
        ari.send("POST", "first")
        ari.send("POST", "lazy", lazily=True)
        ari.send("POST", "dial", overtaking=True)
        await ari.request("POST", "next", {"long": LONG})
        assert heard == ["first", "dial", "lazy", "next"]
        await asyncio.wait_for(ari.send("POST", "alone", lazily=True), LAZY_S + 5)
        assert heard[-1] == "alone"


async def test_a_refusal_is_told_to_whoever_asked() -> None:
    async with asterisk(lambda socket: answers(socket, [], 409)) as url, line_to(url) as ari:
        with pytest.raises(AriRefused) as refused:
            await ari.request("POST", "channels")
        assert refused.value.status == 409


async def test_what_a_lost_line_may_have_swallowed_is_said_again_in_its_order() -> None:
    heard: list[str] = []
    async with asterisk(deaf_at_first(heard)) as url, line_to(url) as ari:
        ari.send("POST", "first")
        ari.send("POST", "lazy", lazily=True)
        await asyncio.wait_for(ari.send("POST", "last", deadline_s=10), 10)
        assert heard == ["first", "lazy", "last"]


async def test_what_nobody_wants_any_more_is_not_said_again() -> None:
    heard: list[str] = []
    async with asterisk(deaf_at_first(heard)) as url, line_to(url) as ari:
        ari.send("POST", "unwanted").cancel()
        await asyncio.wait_for(ari.send("POST", "last", deadline_s=10), 10)
        assert heard == ["last"]


async def test_a_ping_is_answered_and_a_line_on_which_nothing_comes_is_given_up() -> None:
    answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def ask_and_fall_silent(socket: web.WebSocketResponse) -> None:
        await socket.ping(b"there?")
        async for message in socket:
            if message.type is web.WSMsgType.PONG and not answered.done():
                answered.set_result(bytes(message.data))

    async with asterisk(ask_and_fall_silent) as url:
        socket = await connect(f"{url}/events?app=x", {}, lambda _: None, ping_s=0.05)
        assert await asyncio.wait_for(answered, 5) == b"there?"
        assert "not replied" in await asyncio.wait_for(socket.lost, 5)


async def test_a_line_that_breaks_without_a_word_is_lost() -> None:
    async def breaks(socket: web.WebSocketResponse) -> None:
        socket.get_extra_info("socket").shutdown(SHUT_RDWR)
        await socket.receive()

    async with asterisk(breaks) as url:
        socket = await connect(f"{url}/events?app=x", {}, lambda _: None, ping_s=5)
        assert await asyncio.wait_for(socket.lost, 4)


@pytest.mark.parametrize("at", ["http://127.0.0.1:1/ari/events?app=x", "{url}/nowhere?app=x"])
async def test_who_does_not_take_a_websocket_is_told_from_who_does(at: str) -> None:
    async with asterisk(lambda socket: answers(socket, [])) as url:
        with pytest.raises(NoWebSocket):
            await connect(at.format(url=url), {}, lambda _: None, ping_s=5)
