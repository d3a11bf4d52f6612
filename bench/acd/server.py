"""A redis-server of the benchmark's own, started as `hotline up` starts it: on a socket, every write in its log."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from bench.children import running, spawn
from engine.host import redis_child
from engine.redis_line import RedisLine

_STARTS_S = 10.0
_LOOKS_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    line: RedisLine  # the benchmark's own, beside those of the clients

    async def main_thread_ms(self) -> float:
        """CPU time of the one thread that runs commands; not of those that write and rewrite the log."""
        told = await self.info("cpu")
        return 1000 * sum(float(told[f"used_cpu_{kind}_main_thread"]) for kind in ("user", "sys"))

    async def info(self, section: str) -> dict[str, str]:
        """https://redis.io/docs/latest/commands/info/"""
        text = await self.line.call("INFO", section)
        return dict(row.split(":", 1) for row in text.splitlines() if ":" in row)

    async def memory(self) -> int:
        """Bytes that its data take: without the buffers of clients and of the append-only file."""
        told = await self.info("memory")
        return int(told["used_memory"]) - int(told["mem_clients_normal"]) - int(told["mem_aof_buffer"])

    async def rewritten(self) -> None:
        """Returns when its log is not being rewritten: while it is, every page that it writes to is copied first."""
        while (await self.info("persistence"))["aof_rewrite_in_progress"] == "1":  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(_LOOKS_AGAIN_S)


def _listens(path: Path) -> bool:
    """Redis makes its socket a moment before it listens there."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


@contextlib.asynccontextmanager
async def server(folder: Path) -> AsyncIterator[Server]:
    """Raises BenchError, LineDown."""
    path = folder / "redis.sock"
    async with running(await spawn("redis-server", redis_child.argv(path, folder), log=folder / "redis.log")) as child:
        await child.until(lambda: _listens(path), timeout=_STARTS_S)
        line = RedisLine(f"unix://{path}", deadline_s=30)
        await line.open()
        try:
            yield Server(line.url, line)
        finally:
            await line.close(drain=False)
