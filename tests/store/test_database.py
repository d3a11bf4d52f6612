import asyncio
import itertools
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, inspect, text

from engine.journal.ledger import _rows
from engine.store import migrate
from engine.store.connect import connect
from engine.store.database import AmbiguousId, Database, DatabaseDown
from engine.store.leavings import Leavings
from engine.store.left_behind import CallbackRow
from engine.store.rows import CallRow, EventRow
from engine.store.tables import metadata
from engine.store.url import BadDatabase, async_url
from tests.store.servers import free_port

AT = 1_732_219_404_153


def call_row(call_id: str, arrived_ms: int = AT) -> CallRow:
    path = ("main/welcome", "main/菜单")
    return CallRow(id=call_id, flow_path=path, arrived_ms=arrived_ms, ended_ms=AT, end_reason="flow_hangup")


def event(stream_id: str, call_id: str = "c1") -> tuple[str, str, int, str, str]:
    return (stream_id, call_id, AT, "ivr.digit", '{"type": "ivr.digit", "digit": "1"}')


async def on_connection(url: str, work: Any) -> Any:
    engine = connect(async_url(url))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_what_is_recorded_is_read_back(database: Database) -> None:
    row = CallRow(
        id="c1",
        dialled="4008001234",
        number="+8613800138000",
        presentation="allowed",
        area="北京市",
        customer_name="张三",
        tier="gold",
        flow_path=("main/welcome", "main/menu"),
        queue="sales",
        agent="8001",
        arrived_ms=AT,
        answered_ms=AT + 1,
        queued_ms=AT + 2,
        connected_ms=None,
        ended_ms=AT + 4,
        wait_ms=5,
        ring_ms=6,
        talk_ms=7,
        offers=8,
        end_reason="abandoned_ringing",
    )
    await database.record([event("5-0")], [row])
    assert await database.call("c1") == row
    assert await database.events("c1") == [EventRow("5-0", "c1", AT, "ivr.digit", {"type": "ivr.digit", "digit": "1"})]


async def test_recording_twice_is_recording_once(database: Database) -> None:
    await database.record([event("5-0")], [call_row("c1")])
    await database.record([event("5-0"), event("5-1")], [call_row("c1", arrived_ms=1)])
    assert await database.recent_calls(10) == [call_row("c1")]
    assert [row.id for row in await database.events("c1")] == ["5-0", "5-1"]


async def test_a_batch_may_hold_the_same_row_twice(database: Database) -> None:
    await database.record([event("5-0"), event("5-0")], [call_row("c1"), call_row("c1")])
    assert len(await database.recent_calls(10)) == len(await database.events("c1")) == 1


async def test_events_come_in_the_order_of_the_stream_and_not_of_the_alphabet(database: Database) -> None:
    ids = [f"{AT}-{sequence}" for sequence in range(12)]
    await database.record([event(stream_id) for stream_id in reversed(ids)], [])
    assert [row.id for row in await database.events("c1")] == ids


async def test_recent_calls_come_newest_first_and_no_more_than_asked(database: Database) -> None:
    await database.record([], [call_row(f"c{number}", arrived_ms=number) for number in range(5)])
    assert [row.id for row in await database.recent_calls(3)] == ["c4", "c3", "c2"]


async def test_a_call_is_found_by_the_beginning_of_its_id(database: Database) -> None:
    await database.record([], [call_row("h-12"), call_row("h-123"), call_row("h-2"), call_row("H-9_%")])
    found = [await database.call(prefix) for prefix in ("h-2", "h-123", "h-12", "H", "h-3", "H-9_%x")]
    assert [row and row.id for row in found] == ["h-2", "h-123", "h-12", "H-9_%", None, None]
    with pytest.raises(AmbiguousId, match="h-12 and h-123"):
        await database.call("h-1")


async def test_upgrade_from_empty_and_downgrade_leave_what_they_say(database_url: str) -> None:
    url = async_url(database_url)
    await migrate.upgrade(url)
    assert await on_connection(database_url, tables) >= {"calls", "call_events"}
    await migrate.downgrade(url)
    assert await on_connection(database_url, tables) == {"alembic_version"}
    await migrate.upgrade(url)
    assert await on_connection(database_url, migrate.revision_of) == migrate.HEAD


async def test_the_migrations_make_exactly_the_tables_of_the_code(database: Database, database_url: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert await on_connection(database_url, differences) == []


def test_the_newest_migration_is_the_one_that_the_code_names() -> None:
    config = Config()
    config.set_main_option("script_location", "engine.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == migrate.HEAD


async def test_rows_of_an_earlier_life_are_read_after_the_next_open(database_url: str) -> None:
    await migrate.upgrade(async_url(database_url), "0001")

    def write_as_the_first_version_did(connection: Connection) -> None:
        connection.exec_driver_sql(
            "INSERT INTO calls (id, flow_path, dialled, number, presentation, area, customer_name, tier, queue, agent,"
            " end_reason, arrived_ms, ended_ms, wait_ms, ring_ms, talk_ms, offers)"
            """ VALUES ('old', '["main/menu"]', 'd', 'n', 'p', 'a', 'c', 't', 'q', 'ag', 'e', 1, 2, 3, 4, 5, 6)"""
        )
        connection.exec_driver_sql(
            "INSERT INTO call_events (id, call_id, at_ms, type, data) VALUES ('1-0', 'old', 1, 'call.answered', '{}')"
        )

    await on_connection(database_url, write_as_the_first_version_did)
    database = Database(database_url)
    await database.open()
    try:
        row = await database.call("old")
        assert row is not None
        assert (row.flow_path, row.answered_ms, row.offers) == (("main/menu",), None, 6)
        assert [event.type for event in await database.events("old")] == ["call.answered"]
    finally:
        await database.close()


async def test_requests_to_be_called_back_stay_open_and_one_of_a_number(database_url: str) -> None:
    await migrate.upgrade(async_url(database_url), "0005")

    def write_as_before(connection: Connection) -> None:
        connection.exec_driver_sql(
            "INSERT INTO callbacks (id, call_id, queue, number, asked_ms, state, closed_ms, closed_by) VALUES"
            " ('b1', 'c1', 'sales', '+8613800138000', 7, 'open', NULL, ''),"
            " ('b2', 'c1', 'sales', '+8613800138000', 7, 'done', 8, '8001')"
        )

    await on_connection(database_url, write_as_before)
    await migrate.upgrade(async_url(database_url))
    database = Database(database_url)
    await database.open()
    try:
        (row,) = await Leavings(database).callbacks()
        assert (row.id, row.state, row.placed_ms, row.attempts) == ("b1", "requested", 7, 0)
        again = CallbackRow(id="b3", call_id="c2", queue="sales", number="+8613800138000", asked_ms=9)
        await database.record([], [again])
        assert [row.id for row in await Leavings(database).callbacks()] == ["b1"]
    finally:
        await database.close()
    await migrate.downgrade(async_url(database_url), "0005")
    states = "SELECT state FROM callbacks ORDER BY id"
    assert await on_connection(database_url, lambda c: list(c.exec_driver_sql(states).scalars())) == ["open", "done"]


async def test_engines_that_start_together_migrate_once(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(6)]
    await asyncio.gather(*(database.open() for database in databases))
    await asyncio.gather(*(database.close() for database in databases))
    assert await on_connection(database_url, migrate.revision_of) == migrate.HEAD


async def test_a_database_of_a_newer_version_is_refused(database_url: str, database: Database) -> None:
    def from_the_future(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    await on_connection(database_url, from_the_future)
    later = Database(database_url)
    with pytest.raises(BadDatabase, match=r"newer Hotline \(revision 9999.*start that version"):
        await later.open()
    await later.close()


async def test_an_sqlite_file_is_written_ahead(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await database.open()
    mode = await on_connection(sqlite_url, lambda c: c.exec_driver_sql("PRAGMA journal_mode").scalar())
    assert mode == "wal"
    await database.close()


async def test_reading_goes_on_while_a_batch_is_written(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await database.open()
    await database.record([], [call_row("c1")])
    engine = connect(async_url(sqlite_url))
    async with engine.connect() as other:
        await other.exec_driver_sql("BEGIN IMMEDIATE")
        assert await database.recent_calls(1) == [call_row("c1")]
        with pytest.raises(DatabaseDown, match="locked"):
            await database.record([], [call_row("c2")])
        await other.rollback()
    await database.record([], [call_row("c2")])
    assert len(await database.recent_calls(10)) == 2
    await engine.dispose()
    await database.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("hotline.db", "cannot be read: write it like sqlite:////"),
        ("mysql://root@localhost/hotline", "'mysql' are not supported: use sqlite:////"),
        ("sqlite://", "an SQLite file that outlives the engine"),
        ("sqlite:///:memory:", "an SQLite file that outlives the engine"),
        ("postgresql://hotline@127.0.0.1", "names no database: write it after the host"),
    ],
)
def test_a_wrong_url_is_refused_in_one_sentence_with_its_remedy(url: str, said: str) -> None:
    with pytest.raises(BadDatabase, match=said) as refused:
        Database(url)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_a_plain_postgresql_url_is_mapped_to_the_async_driver(scheme: str) -> None:
    url = async_url(f"{scheme}://u:p@h:1/d?sslmode=require")
    assert url.render_as_string(hide_password=False) == "postgresql+asyncpg://u:p@h:1/d?ssl=require"


async def test_an_unreachable_server_is_told_in_one_sentence_without_the_password() -> None:
    database = Database(f"postgresql://hotline:geheim@127.0.0.1:{free_port()}/hotline")
    began = time.monotonic()
    with pytest.raises(BadDatabase, match=r"cannot be reached .*check that PostgreSQL runs there") as refused:
        await database.open()
    assert time.monotonic() - began < 10
    assert "geheim" not in str(refused.value)
    assert "\n" not in str(refused.value)
    await database.close()


async def test_a_wrong_password_is_told_in_one_sentence(postgresql_database_url: str) -> None:
    scheme, _, where = postgresql_database_url.rpartition("@")
    database = Database(f"{scheme.split('://')[0]}://nobody:wrong@{where}")
    with pytest.raises(BadDatabase, match=r"cannot be reached .*the password is right"):
        await database.open()
    await database.close()


async def test_a_file_in_a_folder_that_is_not_there_is_told_in_one_sentence(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/nowhere/hotline.db")
    with pytest.raises(BadDatabase, match=r"nowhere/hotline.db cannot be opened .*its folder exists"):
        await database.open()
    await database.close()


async def test_a_file_that_is_no_database_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "hotline.db").write_text("these are my notes, and there are enough of them for a header")
    database = Database(f"sqlite:///{tmp_path}/hotline.db")
    with pytest.raises(BadDatabase, match="is an SQLite database"):
        await database.open()
    await database.close()


ANYTHING = (
    st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.lists(st.text())
)
# What orjson cannot write would not be an entry; integers beyond 64 bits are among it.
ENTRY = st.dictionaries(
    st.sampled_from(["type", "call", "at", "record", "\0"]),
    ANYTHING | st.dictionaries(st.sampled_from(list(CallRow.__dataclass_fields__)), ANYTHING),
)


NUMBERS = itertools.count()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entry=ENTRY)
async def test_no_entry_can_be_one_that_the_database_refuses(database: Database, entry: dict[str, Any]) -> None:
    try:
        payload = orjson.dumps({"type": "call.ended"} | entry)
    except TypeError:
        return
    number = next(NUMBERS)
    events, ended = _rows([(b"%d-0" % number, [b"e", payload])])
    await database.record(events, ended)
    assert f"{number}-0" in {row.id for row in await database.events(events[0][1])}
