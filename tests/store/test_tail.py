import asyncio

import pytest

from engine.journal.events import CallAnswered, Event, IvrDigit, UnknownEvent
from engine.journal.journal import Journal, stream_key
from engine.journal.stream import StreamDown
from engine.journal.tail import BATCH, Tail
from engine.redis_line import RedisLine
from tests.acd.redis_server import RedisServer


async def take(tail: Tail, count: int) -> list[Event]:
    async with asyncio.timeout(15):
        return [(await anext(tail)).event for _ in range(count)]


async def test_events_are_seen_from_the_moment_of_entering(
    redis_server: RedisServer, line: RedisLine, journal: Journal
) -> None:
    journal.append(CallAnswered("before", 1))
    await line.call("PING")
    async with Tail(redis_server.url) as tail:
        journal.append(CallAnswered("after", 2))
        journal.append(IvrDigit("after", 3, "1"))
        assert await take(tail, 2) == [CallAnswered("after", 2), IvrDigit("after", 3, "1")]


async def test_a_reader_goes_on_from_where_it_was(redis_server: RedisServer, line: RedisLine, journal: Journal) -> None:
    for number in range(4):
        journal.append(CallAnswered(f"c{number}", number))
    await line.call("PING")
    async with Tail(redis_server.url, after="0") as tail:
        first = await anext(tail)
    async with Tail(redis_server.url, after=first.id) as tail:
        assert [event.call for event in await take(tail, 3)] == ["c1", "c2", "c3"]


async def test_a_slow_reader_holds_one_batch_and_misses_nothing(redis_server: RedisServer, journal: Journal) -> None:
    count = 3 * BATCH
    async with Tail(redis_server.url) as tail:
        for number in range(count):
            journal.append(CallAnswered("c", number))
        for number in range(count):
            (event,) = await take(tail, 1)
            assert event.at == number
            assert len(tail._held) < BATCH


async def test_a_restart_of_redis_interrupts_and_loses_nothing(
    redis_server: RedisServer, line: RedisLine, journal: Journal
) -> None:
    async with Tail(redis_server.url) as tail:
        await journal.append_surely(CallAnswered("one", 1), deadline_s=10)
        assert [event.call for event in await take(tail, 1)] == ["one"]
        waiting = asyncio.create_task(take(tail, 1))
        redis_server.kill()
        await asyncio.to_thread(redis_server.start, append_only=True)
        await journal.append_surely(CallAnswered("two", 2), deadline_s=10)
        assert [event.call for event in await waiting] == ["two"]


async def test_an_entry_that_cannot_be_read_is_shown_as_such(redis_server: RedisServer, line: RedisLine) -> None:
    async with Tail(redis_server.url) as tail:
        await line.call("XADD", stream_key("default"), "*", "e", "not json")
        assert await take(tail, 1) == [UnknownEvent("", 0, "unreadable", {"entry": "not json"})]


async def test_entering_without_redis_is_refused(redis_server: RedisServer) -> None:
    redis_server.kill()
    with pytest.raises(StreamDown):
        async with Tail(redis_server.url):
            pass
    redis_server.start()
