"""A Redis Cluster of the tests' own: three masters on loopback and, if asked for, a replica of one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acd.redis_server import RedisServer, eventually

SLOTS = 16384
KEY = "hotline:{default}"


class RedisCluster:
    def __init__(self, folder: Path, *, node_timeout_ms: int = 5_000) -> None:
        self._folder = folder
        self._options = {
            "cluster-enabled": "yes",
            "cluster-node-timeout": str(node_timeout_ms),
            "cluster-replica-validity-factor": "0",
            "repl-diskless-sync-delay": "0",
        }
        self.masters = [self._node(f"master-{number}") for number in range(3)]
        self._replicas: list[RedisServer] = []

    def _node(self, name: str) -> RedisServer:
        return RedisServer(self._folder / name, tcp=True, options=self._options)

    @property
    def url(self) -> str:
        return f"redis+cluster://{','.join(node.address for node in self.masters)}"

    def start(self) -> None:
        for number, node in enumerate(self.masters):
            node.start()
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            first, last = number * SLOTS // 3, (number + 1) * SLOTS // 3 - 1
            node.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
        for node in self.masters[1:]:
            self._meet(node)
        for node in self.masters:
            self._until(lambda: "cluster_state:ok" in node.ask("CLUSTER", "INFO"))  # noqa: B023

    def _meet(self, node: RedisServer) -> None:
        self.masters[0].ask("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus_port)

    def back_up(self, master: RedisServer) -> RedisServer:
        """Gives the master a replica, which has everything that it has."""
        replica, id_ = self._node("replica"), master.ask("CLUSTER", "MYID")
        self._replicas.append(replica)
        replica.start()
        self._meet(replica)
        self._until(lambda: id_ in replica.ask("CLUSTER", "NODES"))
        replica.ask("CLUSTER", "REPLICATE", id_)
        self._until(lambda: "master_link_status:up" in replica.ask("INFO", "replication"))
        # The others count on it only once they know whose it is.
        for node in self.masters:
            self._until(lambda: f"slave {id_}" in node.ask("CLUSTER", "NODES"))  # noqa: B023
        return replica

    @property
    def slot(self) -> int:
        """That of the domain `default`."""
        return int(self.masters[0].ask("CLUSTER", "KEYSLOT", KEY))

    def owner(self) -> RedisServer:
        """The master that serves the domain `default`."""
        slot = self.slot
        rows = self.masters[0].ask("CLUSTER", "SLOTS")
        port = next(master[1] for first, last, master, *_ in rows if first <= slot <= last)
        return next(node for node in self.masters if node.port == port)

    def _until(self, condition: Callable[[], bool]) -> None:
        if not eventually(condition):
            pytest.fail(f"the cluster did not come up: {self._folder}", pytrace=False)

    def stop(self) -> None:
        for node in [*self.masters, *self._replicas]:
            node.stop()
