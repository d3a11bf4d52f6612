from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from engine.redis_line import RedisLine
from tests.acd.desk import Desk
from tests.acd.redis_server import RedisServer


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that the test may freeze, kill and start again."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start(append_only=True)
    yield server
    server.stop()


@pytest.fixture
async def line(redis_server: RedisServer) -> AsyncIterator[RedisLine]:
    line = RedisLine(redis_server.url)
    await line.open()
    await line.call("FLUSHALL")
    yield line
    await line.close()


@pytest.fixture
async def desk(line: RedisLine) -> Desk:
    """The ACD with virtual time and nobody in the background: it ticks when the test says so."""
    desk = Desk(line)
    await desk.acd.load()
    return desk
