"""A master and its replica on loopback, and the Sentinel that watches them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acd.redis_server import RedisServer, eventually

MASTER = "hotline-redis"
_AT_ONCE = {"repl-diskless-sync-delay": "0"}
# Sentinel looks at its servers every second, and every ten: here more often. What it knows of a replica, asked once a
# second while the master is down, must not be older than five pings.
_IN_A_HURRY = ("info-period", 100, "ping-period", 250, "slave-reconf-timeout", 500)


class SentinelSet:
    def __init__(self, folder: Path, *, down_after_ms: int = 5_000) -> None:
        self._folder = folder
        self._down_after_ms = down_after_ms
        self.master = RedisServer(folder / "master", tcp=True, options=_AT_ONCE)
        self.replica = RedisServer(folder / "replica", tcp=True, options=_AT_ONCE)
        self.sentinel: RedisServer | None = None

    @property
    def url(self) -> str:
        assert self.sentinel is not None
        return f"redis+sentinel://{self.sentinel.address}/{MASTER}"

    def start(self) -> None:
        self.master.start()
        self.replica.start()
        self.replica.ask("REPLICAOF", "127.0.0.1", self.master.port)
        self._until("master_link_status:up", self.replica, "INFO", "replication")
        watched = [
            f"sentinel monitor {MASTER} 127.0.0.1 {self.master.port} 1",
            f"sentinel down-after-milliseconds {MASTER} {self._down_after_ms}",
            f"sentinel failover-timeout {MASTER} 2000",
        ]
        self.sentinel = RedisServer(self._folder / "sentinel", tcp=True, sentinel="\n".join(watched))
        self.sentinel.start()
        self.sentinel.ask("SENTINEL", "DEBUG", *_IN_A_HURRY)
        self._until("num-slaves 1", self.sentinel, "SENTINEL", "MASTER", MASTER)

    def _until(self, said: str, server: RedisServer, *words: str) -> None:
        def says() -> bool:
            reply = server.ask(*words)
            return said in (reply if isinstance(reply, str) else " ".join(map(str, reply)))

        if not eventually(says):
            pytest.fail(f"Sentinel did not come up: {self._folder}", pytrace=False)

    def stop(self) -> None:
        for server in (self.sentinel, self.replica, self.master):
            if server is not None:
                server.stop()
