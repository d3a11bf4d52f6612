import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from sqlalchemy import make_url

from engine.journal.events import CallAnswered, CallEnded, IvrDigit
from engine.journal.journal import Journal, stream_key
from engine.journal.ledger import BATCH, GROUP, Ledger
from engine.journal.stream import StreamDown, StreamReader
from engine.redis_line import RedisLine
from engine.store.connect import connect
from engine.store.database import Database
from engine.store.rows import CallRow
from engine.store.url import async_url
from tests.acd.redis_server import RedisServer
from tests.store.conftest import Until
from tests.store.servers import Cable

STREAM = stream_key("default")
DIGITS = 18


def place_call(journal: Journal, call: str) -> None:
    """Twenty events, the last with the call's row."""
    journal.append(CallAnswered(call, 1))
    for number in range(DIGITS):
        journal.append(IvrDigit(call, number, str(number % 10)))
    row = CallRow(id=call, arrived_ms=1, ended_ms=99, end_reason="completed_by_caller")
    journal.append(CallEnded(call, 99, "completed_by_caller", row))


async def accounted(database: Database, calls: list[str]) -> bool:
    """Each call has its one row and its twenty events, once and in order."""
    if sorted(row.id for row in await database.recent_calls(10_000)) != sorted(calls):
        return False
    for call in calls:
        events = [(row.type, row.data.get("digit")) for row in await database.events(call)]
        digits = [("ivr.digit", str(number % 10)) for number in range(DIGITS)]
        if events != [("call.answered", None), *digits, ("call.ended", None)]:
            return False
    return True


async def pending(line: RedisLine) -> int:
    reply = await line.call("XPENDING", STREAM, GROUP)
    count: int = reply[0]
    return count


@asynccontextmanager
async def running(url: str, database: Database, consumer: str = "engine-1") -> AsyncIterator[Ledger]:
    ledger = Ledger(url, database, consumer=consumer)
    await ledger.open()
    try:
        yield ledger
    finally:
        await ledger.close()


async def test_every_call_gets_its_events_and_its_one_row(
    redis_server: RedisServer, line: RedisLine, journal: Journal, database: Database, until: Until
) -> None:
    calls = [f"c{number}" for number in range(40)]
    async with running(redis_server.url, database):
        for call in calls:
            place_call(journal, call)
        await until(lambda: accounted(database, calls))

        async def all_acknowledged() -> bool:
            return await pending(line) == 0

        await until(all_acknowledged)


async def test_draining_leaves_nothing_behind(
    redis_server: RedisServer, line: RedisLine, journal: Journal, database: Database
) -> None:
    calls = [f"c{number}" for number in range(3 * BATCH // 20)]
    async with running(redis_server.url, database) as ledger:
        for call in calls:
            place_call(journal, call)
        await line.call("PING")
        assert await ledger.drain(10)
        assert await accounted(database, calls)
        assert await pending(line) == 0


async def test_draining_ends_at_its_deadline_and_the_next_engine_writes_the_rest(
    redis_server: RedisServer, line: RedisLine, journal: Journal, sqlite_url: str, until: Until
) -> None:
    database = Database(sqlite_url)
    await database.open()
    async with locked(sqlite_url), running(redis_server.url, database) as ledger:
        place_call(journal, "c1")
        await line.call("PING")
        with structlog.testing.capture_logs() as logs:
            assert not await ledger.drain(0.5)
        assert "not all in the database" in str(logs)
    async with running(redis_server.url, database):
        await until(lambda: accounted(database, ["c1"]))
    await database.close()


KILLED_BEFORE_THE_ACKNOWLEDGEMENT = """
import asyncio, os, signal, sys
from engine.journal.ledger import Ledger
from engine.journal.stream import StreamReader
from engine.store.database import Database

class Reader(StreamReader):
    async def command(self, *words, **options):
        if words[0] == "XACK":
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().command(*words, **options)

async def main(redis_url, database_url):
    database = Database(database_url)
    await database.open()
    ledger = Ledger(redis_url, database, consumer="engine-1")
    ledger._reader = Reader(redis_url)
    await ledger.open()
    await asyncio.sleep(30)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_kill_between_commit_and_acknowledgement_doubles_nothing(
    redis_server: RedisServer,
    line: RedisLine,
    journal: Journal,
    database: Database,
    database_url: str,
    until: Until,
) -> None:
    calls = ["c1", "c2", "c3"]
    for call in calls:
        place_call(journal, call)
    await line.call("PING")
    program = [sys.executable, "-c", KILLED_BEFORE_THE_ACKNOWLEDGEMENT, redis_server.url, database_url]
    process = await asyncio.create_subprocess_exec(*program)
    assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
    assert await accounted(database, calls)
    assert await pending(line) == 20 * len(calls)

    async with running(redis_server.url, database):

        async def all_acknowledged() -> bool:
            return await pending(line) == 0

        await until(all_acknowledged)
        assert await accounted(database, calls)


async def test_what_a_dead_engine_took_is_taken_over_by_another(
    redis_server: RedisServer, line: RedisLine, journal: Journal, database: Database, until: Until
) -> None:
    await line.call("XGROUP", "CREATE", STREAM, GROUP, "0", "MKSTREAM")
    place_call(journal, "c1")
    taken = await line.call("XREADGROUP", "GROUP", GROUP, "dead", "COUNT", 100, "STREAMS", STREAM, ">")
    ids = [entry[0] for entry in taken[0][1]]
    # As if it had died two minutes ago.
    await line.call("XCLAIM", STREAM, GROUP, "dead", 0, *ids, "IDLE", 120_000, "JUSTID")
    async with running(redis_server.url, database, consumer="alive"):
        await until(lambda: accounted(database, ["c1"]))


class ForgetfulReader(StreamReader):
    """Loses the first reply that carries entries: Redis has delivered them, and nobody has them."""

    lost = 0

    async def command(self, *words: str | bytes | int, wait_ms: int = 0) -> Any:
        reply = await super().command(*words, wait_ms=wait_ms)
        if words[0] == "XREADGROUP" and reply and reply[0][1] and not self.lost:
            self.lost = len(reply[0][1])
            raise StreamDown("the reply was lost")
        return reply


async def test_entries_whose_delivery_was_lost_are_read_again(
    redis_server: RedisServer, line: RedisLine, journal: Journal, database: Database, until: Until
) -> None:
    place_call(journal, "c1")
    await line.call("PING")
    ledger = Ledger(redis_server.url, database, consumer="engine-1")
    ledger._reader = reader = ForgetfulReader(redis_server.url)
    await ledger.open()
    try:
        await until(lambda: accounted(database, ["c1"]))
        assert reader.lost == 20
    finally:
        await ledger.close()


async def test_pending_entries_that_left_the_stream_stop_nobody(
    redis_server: RedisServer, line: RedisLine, journal: Journal, database: Database, until: Until
) -> None:
    await line.call("XGROUP", "CREATE", STREAM, GROUP, "0", "MKSTREAM")
    journal.append(CallAnswered("trimmed", 1))
    await line.call("XREADGROUP", "GROUP", GROUP, "engine-1", "STREAMS", STREAM, ">")
    await line.call("XTRIM", STREAM, "MAXLEN", 0)
    place_call(journal, "c1")
    with structlog.testing.capture_logs() as logs:
        async with running(redis_server.url, database):
            await until(lambda: accounted(database, ["c1"]))
    assert "left the stream before the database took it" in str(logs)


async def test_a_call_costs_the_ledger_less_than_six_tenths_of_a_millisecond(
    redis_server: RedisServer, line: RedisLine, journal: Journal, sqlite_url: str
) -> None:
    database = Database(sqlite_url)
    await database.open()
    costs = []
    for attempt in range(3):
        for number in range(100):
            place_call(journal, f"c{attempt}-{number}")
        await line.call("PING")
        async with running(redis_server.url, database) as ledger:
            began = time.process_time()
            assert await ledger.drain(10)
            costs.append((time.process_time() - began) / 100)
    await database.close()
    assert min(costs) < 0.6e-3


@asynccontextmanager
async def locked(sqlite_url: str) -> AsyncIterator[None]:
    """The file is somebody else's for as long as the block runs."""
    engine = connect(async_url(sqlite_url))
    async with engine.connect() as other:
        await other.exec_driver_sql("BEGIN EXCLUSIVE")
        yield
        await other.rollback()
    await engine.dispose()


async def test_a_locked_file_delays_and_loses_nothing(
    redis_server: RedisServer, journal: Journal, sqlite_url: str, until: Until
) -> None:
    database = Database(sqlite_url)
    await database.open()
    with structlog.testing.capture_logs() as logs:
        async with running(redis_server.url, database):
            async with locked(sqlite_url):
                place_call(journal, "c1")

                async def noticed() -> bool:
                    return "the database is away" in str(logs)

                await until(noticed)
                place_call(journal, "c2")
            await until(lambda: accounted(database, ["c1", "c2"]))
    assert str(logs).count("the database is away") == 1
    await database.close()


async def test_postgresql_going_away_and_coming_back_loses_nothing_and_doubles_nothing(
    redis_server: RedisServer, journal: Journal, postgresql_database_url: str, until: Until
) -> None:
    url = make_url(postgresql_database_url)
    cable = Cable(url.host or "127.0.0.1", url.port or 5432)
    await cable.plug()
    through = url.set(host="127.0.0.1", port=cable.port).render_as_string(hide_password=False)
    database = Database(through)
    await database.open()
    with structlog.testing.capture_logs() as logs:
        async with running(redis_server.url, database):
            place_call(journal, "c1")
            await until(lambda: accounted(database, ["c1"]))
            await cable.pull()
            place_call(journal, "c2")

            async def noticed() -> bool:
                return "the database is away" in str(logs)

            await until(noticed)
            place_call(journal, "c3")
            await cable.plug()
            await until(lambda: accounted(database, ["c1", "c2", "c3"]))
    assert str(logs).count("the database is away") == 1
    await database.close()
    await cable.pull()


async def test_redis_going_away_and_coming_back_loses_nothing_and_doubles_nothing(
    redis_server: RedisServer, line: RedisLine, journal: Journal, database: Database, until: Until
) -> None:
    async with running(redis_server.url, database):
        place_call(journal, "c1")
        await until(lambda: accounted(database, ["c1"]))
        redis_server.kill()
        await asyncio.to_thread(redis_server.start, append_only=True)
        await journal.append_surely(CallAnswered("agent.back", 1), deadline_s=10)
        place_call(journal, "c2")
        await until(lambda: accounted(database, ["c1", "c2"]))


async def test_redis_coming_back_empty_does_not_stop_the_ledger(
    redis_server: RedisServer, line: RedisLine, journal: Journal, database: Database, until: Until
) -> None:
    async with running(redis_server.url, database):
        place_call(journal, "c1")
        await until(lambda: accounted(database, ["c1"]))
        await line.call("FLUSHALL")
        place_call(journal, "c2")
        await until(lambda: accounted(database, ["c1", "c2"]))


async def test_what_an_engine_appended_before_any_ledger_ran_is_written(
    redis_server: RedisServer, line: RedisLine, journal: Journal, database: Database, until: Until
) -> None:
    place_call(journal, "c1")
    await line.call("PING")
    async with running(redis_server.url, database):
        await until(lambda: accounted(database, ["c1"]))


async def test_an_unreadable_entry_stops_nobody_and_is_kept(
    redis_server: RedisServer, line: RedisLine, journal: Journal, database: Database, until: Until
) -> None:
    await line.call("XADD", STREAM, "*", "e", "\x00{not json")
    await line.call("XADD", STREAM, "*", "other", "fields", "of", "another program")
    place_call(journal, "c1")
    async with running(redis_server.url, database):
        await until(lambda: accounted(database, ["c1"]))
        kept = [row.data["entry"] for row in await database.events("")]
        assert kept == ["\x00{not json", "fields"]
