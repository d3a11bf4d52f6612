from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import ResponseError

from engine.redis_line import LineDown, RedisLine
from tests.acd.redis_server import RedisServer


async def test_commands_run_in_the_order_they_were_issued(line: RedisLine) -> None:
    for number in range(100):
        line.post("RPUSH", "list", number)
    replies = await asyncio.gather(*(line.call("RPUSH", "list", number) for number in range(100, 200)))
    assert replies == list(range(101, 201))
    assert await line.call("LRANGE", "list", 0, -1) == [str(number) for number in range(200)]


async def test_cancelled_waiter_neither_unsends_nor_shifts_the_replies(line: RedisLine) -> None:
    seen: list[object] = []
    task = asyncio.create_task(line.call("INCR", "counter", sink=seen.append))
    after = asyncio.create_task(line.call("GET", "counter"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await after == "1"
    assert seen == [1]
    assert await line.call("ECHO", "mine") == "mine"


async def test_error_reply_is_raised_to_its_own_waiter_only(line: RedisLine) -> None:
    await line.call("SET", "text", "x")
    replies = await asyncio.gather(line.call("INCR", "text"), line.call("ECHO", "fine"), return_exceptions=True)
    assert isinstance(replies[0], ResponseError)
    assert replies[1] == "fine"


async def test_fault_of_a_sink_leaves_the_line_working(line: RedisLine) -> None:
    def fails(_: object) -> None:
        raise RuntimeError("listener's fault")

    assert await line.call("ECHO", "a", sink=fails) == "a"
    assert await line.call("ECHO", "b") == "b"


async def test_text_and_bytes_survive_the_way(line: RedisLine) -> None:
    await line.call("SET", "name", "王小姐")
    assert await line.call("GET", "name") == "王小姐"
    await line.call("SET", "name", "王".encode())
    assert await line.call("GET", "name") == "王"


async def test_opening_fails_when_nobody_listens(tmp_path_factory: pytest.TempPathFactory) -> None:
    line = RedisLine(f"unix://{tmp_path_factory.mktemp('none')}/no.sock")
    with pytest.raises(LineDown, match=r"no\.sock"):
        await line.open()
    with pytest.raises(LineDown):
        await line.call("PING")


async def test_password_of_the_url_is_used_and_a_wrong_one_named(own_server: RedisServer) -> None:
    setup = RedisLine(own_server.url)
    await setup.open()
    await setup.call("CONFIG", "SET", "requirepass", "right")
    with pytest.raises(LineDown, match="WRONGPASS"):
        await RedisLine(own_server.url.replace("unix://", "unix://:wrong@")).open()
    line = RedisLine(own_server.url.replace("unix://", "unix://:right@"))
    await line.open()
    assert await line.call("ECHO", "in") == "in"
    await line.close()
    await setup.close()


async def test_database_of_the_url_is_selected(line: RedisLine, redis_server: RedisServer) -> None:
    other = RedisLine(redis_server.url + "?db=3")
    await other.open()
    await other.call("SET", "where", "three")
    assert await line.call("GET", "where") is None
    await other.close()


async def test_close_waits_for_what_was_posted(line: RedisLine, redis_server: RedisServer) -> None:
    other = RedisLine(redis_server.url)
    await other.open()
    for _ in range(500):
        other.post("INCR", "posted")
    await other.close()
    assert await line.call("GET", "posted") == "500"
    with pytest.raises(LineDown):
        await other.call("PING")


async def test_frozen_server_is_given_up_within_the_deadline(own_server: RedisServer) -> None:
    line = RedisLine(own_server.url, deadline_s=0.2)
    await line.open()
    own_server.freeze()
    started = asyncio.get_running_loop().time()
    with pytest.raises(LineDown):
        await line.call("GET", "a")
    assert asyncio.get_running_loop().time() - started < 0.6
    own_server.thaw()
    await _answers_again(line)
    await line.close()


async def test_killed_server_fails_what_is_under_way_and_the_line_comes_back(own_server: RedisServer) -> None:
    line = RedisLine(own_server.url, deadline_s=5.0)
    await line.open()
    blocked = asyncio.create_task(line.call("BLPOP", "never", 0))
    await asyncio.sleep(0)
    own_server.kill()
    with pytest.raises(LineDown):
        await blocked
    line.post("SET", "gathered", "yes")
    waiting = asyncio.create_task(line.call("GET", "gathered"))
    own_server.start(append_only=True)
    assert await waiting == "yes"
    await line.close()


async def test_unsent_call_is_told_after_the_deadline_and_posts_stay(own_server: RedisServer) -> None:
    line = RedisLine(own_server.url, deadline_s=0.2)
    await line.open()
    own_server.kill()
    with pytest.raises(LineDown):
        while True:
            await line.call("PING")
    line.post("SET", "kept", "yes")
    with pytest.raises(LineDown, match="not sent"):
        await line.call("SET", "lost", "yes")
    own_server.start(append_only=True)
    await _answers_again(line)
    assert await line.call("MGET", "kept", "lost") == ["yes", None]
    await line.close()


async def test_backlog_is_bounded(own_server: RedisServer) -> None:
    line = RedisLine(own_server.url, deadline_s=5.0, backlog=10)
    await line.open()
    own_server.freeze()
    for number in range(50):
        line.post("RPUSH", "list", number)
    with pytest.raises(LineDown, match="10 commands"):
        await line.call("PING")
    own_server.thaw()
    await _answers_again(line)
    assert await line.call("LRANGE", "list", 0, -1) == [str(number) for number in range(10)]
    await line.close()


async def _answers_again(line: RedisLine) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                await line.call("PING")
            except LineDown:
                await asyncio.sleep(0.01)
            else:
                return
