"""Brings a database to this engine's tables, or back: alembic, driven from the program."""

import asyncio
import sqlite3
import time
from contextlib import closing

from sqlalchemy import URL, Connection, event, inspect, pool, text

from engine.store.connect import BUSY_S, connect

HEAD = "0006"
"""The newest revision of migrations/versions: known here so that most starts need not load alembic."""

# Any constant will do, as long as every engine takes the same one.
_ADVISORY_LOCK = 4_001_234


def revision_of(connection: Connection) -> str | None:
    """The revision that the database is at; None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if revision is None else str(revision)


async def upgrade(url: URL, revision: str = "head") -> None:
    """Bring the database up to a revision. Engines that start together take turns."""
    await asyncio.to_thread(_move, url, revision, up=True)


async def downgrade(url: URL, revision: str = "base") -> None:
    """Take the database back to a revision."""
    await asyncio.to_thread(_move, url, revision, up=False)


def _move(url: URL, revision: str, *, up: bool) -> None:
    # alembic is synchronous and loads its scripts from disk: it gets a thread and a loop of its own.
    if url.get_backend_name() == "sqlite":
        _write_ahead(str(url.database))
    asyncio.run(_move_alone(url, revision, up=up))


def _write_ahead(path: str) -> None:
    """WAL lets the command line read while the ledger writes; the file remembers it."""
    give_up = time.monotonic() + BUSY_S
    with closing(sqlite3.connect(path, timeout=BUSY_S)) as connection:
        switched = False
        while not switched:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                switched = True
            except sqlite3.OperationalError as error:
                # Two engines that switch at once: SQLite tells one of them at once, without its busy timeout.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
                time.sleep(0.02)


async def _move_alone(url: URL, revision: str, *, up: bool) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "engine.store:migrations")
    run = command.upgrade if up else command.downgrade

    def move(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        config.attributes["connection"] = connection
        run(config, revision)

    engine = connect(url, poolclass=pool.NullPool)
    if url.get_backend_name() == "sqlite":
        # By itself the driver opens no transaction for DDL: half a migration could stay.
        event.listen(engine.sync_engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(move)
    finally:
        await engine.dispose()
