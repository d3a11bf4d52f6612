from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import pytest

from engine.redis_line import RedisLine
from tests.acd.desk import Desk
from tests.acd.redis_cluster import RedisCluster
from tests.acd.redis_sentinel import SentinelSet
from tests.acd.redis_server import RedisServer

# What these say holds whichever way Redis is run: each of their tests runs against all three.
_ON_EVERY_KIND = {
    *("test_matching", "test_offer_lifecycle", "test_attempts", "test_engines", "test_agents", "test_ahead"),
    *("test_emptied", "test_estimates", "test_explained", "test_items", "test_kinds", "test_limits", "test_misses"),
    *("test_pitfalls", "test_restored", "test_rings", "test_staff", "test_steps", "test_supervision"),
    *("test_places", "test_tries", "test_moved", "test_forgetting"),
}
_KINDS = {"plain": "redis_server", "cluster": "redis_cluster", "sentinel": "sentinel_set"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "redis_url" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in _ON_EVERY_KIND:
        metafunc.parametrize("redis_url", _KINDS, indirect=True)


class Servers(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...


S = TypeVar("S", bound=Servers)


@contextmanager
def running(servers: S) -> Iterator[S]:
    """Also those that could not all be started are stopped."""
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running(RedisServer(tmp_path_factory.mktemp("redis"))) as server:
        yield server


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    """Three masters, whose slots a test may move."""
    with running(RedisCluster(tmp_path_factory.mktemp("cluster"))) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def sentinel_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelSet]:
    with running(SentinelSet(tmp_path_factory.mktemp("sentinel"))) as servers:
        yield servers


@pytest.fixture
def own_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    """A cluster whose nodes the test may kill."""
    with running(RedisCluster(tmp_path_factory.mktemp("cluster"), node_timeout_ms=600)) as cluster:
        yield cluster


@pytest.fixture
def own_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelSet]:
    """Servers that the test may kill, and a Sentinel that soon notices."""
    with running(SentinelSet(tmp_path_factory.mktemp("sentinel"), down_after_ms=500)) as servers:
        yield servers


@pytest.fixture
def redis_url(request: pytest.FixtureRequest) -> str:
    """A plain server's, or what the test is parametrized with."""
    url: str = request.getfixturevalue(_KINDS[getattr(request, "param", "plain")]).url
    return url


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that the test may freeze, kill and start again."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start(append_only=True)
    yield server
    server.stop()


@pytest.fixture
async def line(redis_url: str) -> AsyncIterator[RedisLine]:
    line = RedisLine(redis_url)
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
