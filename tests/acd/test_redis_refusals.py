"""A server that is there and does not serve: what it refuses has not run, and runs once it serves, in order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.redis_line import LineDown, RedisLine
from tests.acd.lines import opened, until
from tests.acd.redis_server import RedisServer

NOBODY = ("REPLICAOF", "127.0.0.1", "1")


@pytest.mark.parametrize(
    ("refuse", "serve"),
    [
        pytest.param(NOBODY, ("REPLICAOF", "NO", "ONE"), id="READONLY"),
        pytest.param(
            ("CONFIG", "SET", "min-replicas-to-write", 1),
            ("CONFIG", "SET", "min-replicas-to-write", 0),
            id="NOREPLICAS",
        ),
    ],
)
async def test_what_was_refused_runs_in_its_order_as_soon_as_the_server_serves(
    own_server: RedisServer, refuse: tuple[str | int, ...], serve: tuple[str | int, ...]
) -> None:
    async with opened(own_server.url) as line:
        own_server.ask(*refuse)
        for number in range(50):
            line.post("RPUSH", "list", number)
        asked = [asyncio.create_task(line.call("RPUSH", "list", number)) for number in range(50, 100)]
        await until(lambda: line._wire is None)
        line.post("RPUSH", "list", 100)
        own_server.ask(*serve)
        assert await asyncio.gather(*asked) == list(range(51, 101))
        assert await line.call("LRANGE", "list", 0, -1) == [str(number) for number in range(101)]


async def test_a_script_of_somebody_elses_that_does_not_end_is_waited_out(own_server: RedisServer) -> None:
    own_server.ask("CONFIG", "SET", "busy-reply-threshold", 20)
    async with opened(own_server.url) as line:
        endless = asyncio.create_task(asyncio.to_thread(own_server.ask, "EVAL", "while true do end", 0))
        await until(lambda: own_server.error("PING").startswith("BUSY"))
        waiting = asyncio.create_task(line.call("INCR", "counter"))
        await until(lambda: line._wire is None)
        own_server.ask("SCRIPT", "KILL")
        assert await waiting == 1
        with pytest.raises(Exception, match="killed by user"):
            await endless


async def test_a_call_that_is_refused_to_its_deadline_was_not_run_and_is_told_why(own_server: RedisServer) -> None:
    async with opened(own_server.url, deadline_s=0.3) as line:
        own_server.ask(*NOBODY)
        line.post("SET", "kept", "yes")
        with pytest.raises(LineDown, match=r"not sent.*READONLY"):
            await line.call("SET", "lost", "yes")
        own_server.ask("REPLICAOF", "NO", "ONE")
        await until(lambda: line._wire is not None)
        assert await line.call("MGET", "kept", "lost") == ["yes", None]


async def test_a_server_that_loads_is_waited_for_without_pressing_it(tmp_path: Path) -> None:
    slow = {"key-load-delay": "250"}  # microseconds; it answers between a thousand keys and the next
    server = RedisServer(tmp_path, options=slow)
    server.start(append_only=True)
    try:
        async with opened(server.url) as line:
            for number in range(4000):
                line.post("SET", f"key-{number}", "x" * 100)
            await line.call("PING")
            server.kill()
            await until(lambda: line._wire is None)
            waiting = asyncio.create_task(line.call("GET", "key-3999"))
            server.start(append_only=True, wait=False)
            await until(lambda: "LOADING" in line._fault)
            assert await waiting == "x" * 100
            tried = server.ask("INFO", "stats").partition("total_connections_received:")[2].split()[0]
            assert 2 < int(tried) < 12
    finally:
        server.stop()


async def test_a_pause_within_the_deadline_costs_nothing_and_a_longer_one_is_told(own_server: RedisServer) -> None:
    came_back: list[None] = []
    async with opened(own_server.url, deadline_s=0.3, on_back=lambda: came_back.append(None)) as line:
        own_server.ask("CLIENT", "PAUSE", 100)
        assert await line.call("INCR", "counter") == 1
        assert came_back == []
        own_server.ask("CLIENT", "PAUSE", 700)
        with pytest.raises(LineDown):
            await line.call("INCR", "counter")
        await until(lambda: came_back)
        assert await line.call("ECHO", "again") == "again"


async def test_a_full_server_is_told_at_once_and_not_left(own_server: RedisServer) -> None:
    async with opened(own_server.url) as line:
        before = await line.call("CLIENT", "ID")
        await line.call("CONFIG", "SET", "maxmemory", 1)
        line.post("SET", "a", "b")
        with pytest.raises(LineDown, match="full"):
            await line.call("SET", "a", "b")
        assert await line.call("GET", "a") is None
        assert await line.call("CLIENT", "ID") == before


async def test_what_was_held_back_for_company_outlives_the_connection(own_server: RedisServer) -> None:
    async with opened(own_server.url) as line:
        line.post("RPUSH", "list", "held")
        own_server.kill()
        await until(lambda: line._wire is None)
        line.post("RPUSH", "list", "gathered")
        own_server.start(append_only=True)
        assert await line.call("LRANGE", "list", 0, -1) == ["held", "gathered"]


async def test_the_return_is_told_after_every_loss_and_behind_what_had_gathered(own_server: RedisServer) -> None:
    found: list[asyncio.Task[object]] = []
    async with opened(
        own_server.url, on_back=lambda: found.append(asyncio.create_task(line.call("GET", "gathered")))
    ) as line:
        assert found == []
        for value in ("first", "second"):
            own_server.kill()
            await until(lambda: line._wire is None)
            line.post("SET", "gathered", value)
            own_server.start()
            await until(lambda: found)
            assert await found.pop() == value


async def test_a_fault_of_who_hears_of_the_return_leaves_the_line_working(own_server: RedisServer) -> None:
    def fails() -> None:
        raise RuntimeError("listener's fault")

    async with opened(own_server.url, on_back=fails) as line:
        for number in (1, 2):
            own_server.ask("CLIENT", "KILL", "TYPE", "normal")
            await until(lambda: line._wire is None)
            assert await line.call("INCR", "counter") == number


async def test_who_greets_and_then_refuses_everything_is_not_pressed() -> None:
    greeted = 0

    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal greeted
        greeted += 1
        await reader.read(65536)
        writer.write(b":0\r\n")
        while await reader.read(65536):
            writer.write(b"-READONLY after all\r\n")
        writer.close()

    async with await asyncio.start_server(refuses, "127.0.0.1", 0) as server:
        line = RedisLine(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}", deadline_s=0.8)
        await line.open()
        loop, started = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        with pytest.raises(LineDown, match="READONLY"):
            await line.call("SET", "a", "b")
        assert loop.time() - started < 1.6
        assert 2 < greeted < 12
        await line.close()
