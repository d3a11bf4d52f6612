"""Behind Sentinel: the line follows the master."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from engine.journal.events import CallAnswered
from engine.journal.journal import Journal
from engine.journal.tail import Tail
from engine.redis_line import LineDown, RedisLine
from tests.acd.desk import Desk
from tests.acd.failover import goes_on, in_the_middle
from tests.acd.lines import opened, until
from tests.acd.redis_sentinel import MASTER, SentinelSet


async def test_sentinels_that_are_gone_or_know_no_such_master_are_passed_over(sentinel_set: SentinelSet) -> None:
    async with opened(sentinel_set.url.replace("://", "://127.0.0.1:1,")) as line:
        assert (await line.call("ROLE"))[0] == "master"
    with pytest.raises(LineDown, match=r"127\.0\.0\.1:1: .*watches no master 'nobody'"):
        await RedisLine(sentinel_set.url.replace("://", "://127.0.0.1:1,").replace(MASTER, "nobody")).open()


async def test_a_password_for_redis_and_one_for_sentinel_are_told_apart(own_set: SentinelSet) -> None:
    assert own_set.sentinel is not None
    own_set.master.ask("CONFIG", "SET", "requirepass", "of-redis")
    own_set.sentinel.ask("ACL", "SETUSER", "default", "resetpass", ">of-sentinel")
    with pytest.raises(LineDown, match="NOAUTH"):
        await RedisLine(own_set.url.replace("://", "://:of-redis@")).open()
    async with opened(own_set.url.replace("://", "://:of-redis@") + "?sentinel_password=of-sentinel") as line:
        assert await line.call("ECHO", "in") == "in"


async def test_a_user_who_may_touch_nothing_but_the_hotlines_keys_is_enough(own_set: SentinelSet) -> None:
    """As docs/redis.md tells the admin to make it."""
    assert own_set.sentinel is not None
    page = (Path(__file__).parents[2] / "docs" / "redis.md").read_text(encoding="utf-8")
    rules = page.partition("user hotline ")[2].partition("\n")[0].split()
    own_set.master.ask("ACL", "SETUSER", "hotline", *rules)
    url = own_set.url.replace("://", "://hotline:secret@")
    async with opened(url) as line:
        desk = Desk(line)
        await desk.acd.load()
        await desk.staff({"8001": {}}, "any")
        await desk.calls("call")
        assert desk.offered() == [("call", "8001")]
        assert await line.call("BLPOP", "hotline:{default}:mailbox:x", "0.01") is None
        assert await line.call("EVAL", "return redis.call('INCR', KEYS[1])", 1, "hotline:{default}:a") == 1
        Journal(line).append(CallAnswered("call", 1))
        async with Tail(url, after="0-0") as tail:
            assert (await anext(tail)).id
        with pytest.raises(ResponseError, match="NOPERM"):
            await line.call("GET", "somebody-elses")


async def test_a_server_that_only_sentinel_takes_for_the_master_is_not_written_to(own_set: SentinelSet) -> None:
    own_set.master.ask("CONFIG", "SET", "replica-read-only", "no")
    own_set.master.ask("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(LineDown, match="is a slave"):
        await RedisLine(own_set.url).open()


async def test_an_ordered_failover_loses_and_doubles_nothing(own_set: SentinelSet) -> None:
    assert own_set.sentinel is not None
    async with opened(own_set.url, deadline_s=10.0) as line:
        pushed, port = 0, ""
        own_set.master.ask("FAILOVER")
        while port != str(own_set.replica.port):
            try:
                assert await line.call("RPUSH", "list", pushed) == pushed + 1
                pushed += 1
                port = (await line.call("CONFIG", "GET", "port"))[1]
            except LineDown:  # it was under way when the connection went: it may have run
                pushed = await line.call("LLEN", "list")
        listed = await line.call("LRANGE", "list", 0, -1)
        assert listed == [str(number) for number in range(len(listed))]


async def test_all_that_is_under_way_outlives_the_death_of_the_master(own_set: SentinelSet) -> None:
    came_back = asyncio.Event()
    async with opened(own_set.url, deadline_s=10.0, on_back=came_back.set) as line:
        desk, journal = Desk(line), Journal(line)
        await desk.acd.load()
        await in_the_middle(desk)
        async with Tail(own_set.url) as tail:
            assert await line.call("WAIT", 1, 5000) == 1
            own_set.master.kill()
            await until(lambda: line._wire is None)
            journal.append(CallAnswered("call-1", 1))
            assert await desk.acd.position("call-2") == 2
            assert came_back.is_set()
            assert (await line.call("CONFIG", "GET", "port"))[1] == str(own_set.replica.port)
            async with asyncio.timeout(5):
                while (await anext(tail)).event.type != "call.answered":
                    pass
        await goes_on(desk)
