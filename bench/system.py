"""The seam between the benchmark and the systems it measures."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

from bench.network import Network

Group = Literal["asterisk", "engine", "redis", "database"]
GROUPS: tuple[Group, ...] = ("asterisk", "engine", "redis", "database")


class System(Protocol):
    """A hotline that answers `network.system` and rings the agents at `network.agents`."""

    name: str

    async def start(self, workdir: Path, network: Network) -> None:
        """Start everything the system needs below `workdir`; return when a call would be answered.

        Raises `BenchError` when it does not come up within its deadline; `stop` is called in any case.
        """

    def processes(self) -> dict[Group, list[int]]:
        """The running processes by what they are; looked up anew on each call."""

    async def loop_lag_ms_p99(self) -> float | None:
        """The system's own event-loop lag since its start in milliseconds; None without an event loop."""

    async def stop(self) -> None:
        """Stop all of it and return when the last process is gone."""


class BenchError(Exception):
    """The benchmark cannot be carried out; the message says why and what helps."""
