"""Real Redis, real SQLite, real PostgreSQL: each test has a clean one of each."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from engine.journal.journal import Journal
from engine.redis_line import RedisLine
from engine.store.database import Database
from tests.acd.redis_server import RedisServer
from tests.store.servers import PostgresqlServer


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Running, empty, and durable: it may be killed and started again."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start(append_only=True)
    yield server
    server.stop()


@pytest.fixture
async def line(redis_server: RedisServer) -> AsyncIterator[RedisLine]:
    line = RedisLine(redis_server.url)
    await line.open()
    yield line
    await line.close()


@pytest.fixture
def journal(line: RedisLine) -> Journal:
    return Journal(line)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL on which databases may be created: DATABASE_URL where that is one, else our own."""
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith(("postgresql", "postgres")):
        yield make_url(given).set(drivername="postgresql").render_as_string(hide_password=False)
        return
    server = PostgresqlServer()
    try:
        server.start()
        yield server.url
    finally:
        server.remove()


@pytest.fixture
async def postgresql_database_url(postgresql_url: str) -> AsyncIterator[str]:
    """An empty database of its own for the test."""
    name = f"hotline_test_{uuid.uuid4().hex[:12]}"
    admin = await asyncpg.connect(postgresql_url, timeout=10)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield make_url(postgresql_url).set(database=name).render_as_string(hide_password=False)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/hotline.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, once for each kind that the engine supports."""
    kind = "sqlite_url" if request.param == "sqlite" else "postgresql_database_url"
    url: str = request.getfixturevalue(kind)
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Open and empty."""
    opened = Database(database_url)
    await opened.open()
    yield opened
    await opened.close()


Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


@pytest.fixture
def until() -> Until:
    """Waits for a condition, at most 20 s."""

    async def wait(condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(20):
            while not await condition():  # noqa: ASYNC110 - other processes set no Event
                await asyncio.sleep(0.02)

    return wait
