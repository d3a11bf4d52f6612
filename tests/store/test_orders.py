"""Standing orders: kept in a real database, known to every engine by way of a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from engine.orders import keeper
from engine.orders.keeper import OrderKeeper
from engine.redis_line import RedisLine
from engine.store.database import Database, DatabaseDown
from engine.store.order_rows import AnnouncementOrder, HoursOrder, ListEntry, Orders
from engine.store.orders import KEEP_EXPIRED_MS, OrderBook
from tests.acd.redis_server import RedisServer
from tests.store.conftest import Until
from tests.store.servers import Cable

NOW = datetime.now(UTC)
NOW_MS = round(NOW.timestamp() * 1000)
CLOSED = HoursOrder(calendar="office", is_open=False, say="closed-forced", ordered_by="li", ordered_ms=NOW_MS)
BANNER = AnnouncementOrder(name="banner-incident", until_ms=NOW_MS + 60_000, ordered_by="li", ordered_ms=NOW_MS)
NUISANCE = ListEntry(list="block", number="+8613900000000", reason="骚扰", ordered_by="li", ordered_ms=NOW_MS)


@pytest.fixture
def book(database: Database) -> OrderBook:
    return OrderBook(database)


async def all_of(book: OrderBook) -> Orders:
    orders = await book.read()
    assert orders is not None
    return orders


async def test_orders_are_read_back_as_they_were_given(book: OrderBook) -> None:
    for order in (CLOSED, BANNER, NUISANCE):
        await book.put(order)
    orders = await all_of(book)
    assert (orders.hours, orders.announcements, orders.entries) == ([CLOSED], [BANNER], [NUISANCE])


async def test_an_order_of_the_same_thing_replaces_the_one_before(book: OrderBook) -> None:
    await book.put(CLOSED)
    opened = HoursOrder(calendar="office", is_open=True, until_ms=NOW_MS + 1, ordered_by="han", ordered_ms=NOW_MS)
    await book.put(opened)
    await book.put(HoursOrder(calendar="night", is_open=True))
    assert {order.calendar: order for order in (await all_of(book)).hours}["office"] == opened
    assert len((await all_of(book)).hours) == 2


async def test_an_order_that_is_withdrawn_is_gone_and_only_that_one(book: OrderBook) -> None:
    other = ListEntry(list="block", number="+86170*")
    await book.put(NUISANCE)
    await book.put(other)
    assert await book.withdraw(ListEntry, list="block", number="+8613900000000")
    assert not await book.withdraw(ListEntry, list="block", number="+8613900000000")
    assert not await book.withdraw(ListEntry, list="vip", number="+86170*")
    assert (await all_of(book)).entries == [other]


async def test_what_has_not_changed_is_not_read_again(book: OrderBook) -> None:
    before = await all_of(book)
    assert await book.read(before.revision) is None
    await book.put(CLOSED)
    after = await book.read(before.revision)
    assert after is not None
    assert after.revision > before.revision


async def test_orders_given_at_the_same_moment_are_all_kept(book: OrderBook) -> None:
    entries = [ListEntry(list="block", number=f"+86139000000{n:02d}") for n in range(12)]
    await asyncio.gather(*(book.put(entry) for entry in [*entries, *entries]))
    orders = await all_of(book)
    assert sorted(entry.number for entry in orders.entries) == [entry.number for entry in entries]
    assert orders.revision == 24


async def test_what_ended_long_ago_is_cleared_away_with_the_next_order(book: OrderBook) -> None:
    long_ago = ListEntry(list="block", number="+86170*", until_ms=NOW_MS - KEEP_EXPIRED_MS - 60_000)
    lately = ListEntry(list="block", number="+86171*", until_ms=NOW_MS - 60_000)
    for entry in (long_ago, lately, NUISANCE):
        await book.put(entry)
    assert {entry.number for entry in (await all_of(book)).entries} == {lately.number, NUISANCE.number}


async def test_text_that_a_database_refuses_is_kept_without_what_it_refuses(book: OrderBook) -> None:
    await book.put(ListEntry(list="block", number="+86170*", reason="a\0b'; DROP TABLE calls; --"))
    assert (await all_of(book)).entries[0].reason == "ab'; DROP TABLE calls; --"


@pytest.fixture
async def keepers(
    database: Database, database_url: str, redis_server: RedisServer, line: RedisLine
) -> AsyncIterator[tuple[OrderKeeper, OrderKeeper]]:
    """Two engines with one database and one Redis."""
    other_line, other_database = RedisLine(redis_server.url), Database(database_url)
    await other_line.open()
    await other_database.open()
    both = OrderKeeper(database, line), OrderKeeper(other_database, other_line)
    for each in both:
        await each.open()
    yield both
    for each in both:
        await each.close()
    await other_line.close()
    await other_database.close()


async def test_an_order_counts_at_once_in_the_engine_that_was_told(keepers: tuple[OrderKeeper, OrderKeeper]) -> None:
    here, _ = keepers
    await here.put(CLOSED)
    assert here.standing.hours("office", NOW) == CLOSED
    assert await here.withdraw(HoursOrder, by="li", calendar="office")
    assert here.standing.hours("office", NOW) is None
    assert not await here.withdraw(HoursOrder, by="li", calendar="office")


async def test_an_engine_is_told_when_somebody_decides_about_opening_hours_and_of_nothing_else(
    database: Database, line: RedisLine
) -> None:
    told: list[int] = []
    here = OrderKeeper(database, line, on_hours=lambda: told.append(len(here.standing.all.hours)))
    await here.open()
    try:
        await here.put(NUISANCE)
        assert told == []
        await here.put(CLOSED)
        await here.withdraw(HoursOrder, by="li", calendar="office")
        assert told == [1, 0]
    finally:
        await here.close()


async def test_an_order_reaches_the_other_engine_without_its_asking(
    keepers: tuple[OrderKeeper, OrderKeeper], until: Until
) -> None:
    here, there = keepers

    async def known() -> bool:
        return there.standing.hours("office", NOW) == CLOSED

    async def forgotten() -> bool:
        return there.standing.hours("office", NOW) is None

    await here.put(CLOSED)
    await until(known)
    await here.withdraw(HoursOrder, by="li", calendar="office")
    await until(forgotten)


async def test_an_order_survives_a_restart(database: Database, line: RedisLine) -> None:
    first = OrderKeeper(database, line)
    await first.open()
    await first.put(NUISANCE)
    await first.close()
    second = OrderKeeper(database, line)
    await second.open()
    assert second.standing.entry("block", "+8613900000000", NOW) == NUISANCE
    await second.close()


async def test_an_order_reaches_the_other_engine_while_redis_is_away(
    keepers: tuple[OrderKeeper, OrderKeeper],
    redis_server: RedisServer,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeper, "RETRY_S", 0.05)
    here, there = keepers
    redis_server.kill()
    await here.put(CLOSED)

    async def known() -> bool:
        return there.standing.hours("office", NOW) == CLOSED

    await until(known)
    redis_server.start(append_only=True)


async def test_an_engine_that_was_told_nothing_looks_for_itself(
    database: Database, line: RedisLine, book: OrderBook, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "READ_AGAIN_S", 0.05)
    here = OrderKeeper(database, line)
    await here.open()
    await book.put(CLOSED)

    async def known() -> bool:
        return here.standing.hours("office", NOW) == CLOSED

    await until(known)
    await here.close()


async def test_while_the_database_is_away_what_is_in_memory_counts_and_new_orders_are_refused(
    postgresql_database_url: str, line: RedisLine, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "READ_AGAIN_S", 0.05)
    address, _, name = postgresql_database_url.rpartition("/")
    login, _, where = address.rpartition("@")
    host, _, port = where.partition(":")
    cable = Cable(host, int(port))
    await cable.plug()
    database = Database(f"{login}@127.0.0.1:{cable.port}/{name}")
    await database.open()
    here = OrderKeeper(database, line)
    await here.open()
    await here.put(CLOSED)

    async def away() -> bool:
        return here.fault != ""

    async def back() -> bool:
        return here.fault == ""

    with capture_logs() as logs:
        await cable.pull()
        await until(away)
        assert here.standing.hours("office", NOW) == CLOSED
        with pytest.raises(DatabaseDown):
            await here.put(BANNER)
        await cable.plug()
        await until(back)
    said = [entry["event"] for entry in logs if entry["event"].startswith("orders.")]
    assert said == ["orders.database_away", "orders.database_back"]
    await here.put(BANNER)
    assert here.standing.announcement("banner-incident", NOW) == BANNER
    assert here.standing.announcement("banner-incident", NOW + timedelta(minutes=1)) is None
    await here.close()
    await database.close()
