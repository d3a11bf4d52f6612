"""The clients' processes, seen from the benchmark: orders go in, answers come out, a line of JSON each."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson

from bench import processes
from bench.system import BenchError

_PROJECT = Path(__file__).resolve().parent.parent.parent
_LONGEST_LINE = 1 << 26
_ENDS_WITHIN_S = 10.0


class Clients:
    def __init__(self, running: list[asyncio.subprocess.Process], log: Path) -> None:
        self._running, self._log = running, log

    def cpu_ms(self) -> float:
        return processes.cpu_ms(client.pid for client in self._running)

    async def obey(self, **order: Any) -> list[dict[str, Any]]:
        """All of them at the same time. Raises BenchError when one breaks down."""
        line = orjson.dumps(order, option=orjson.OPT_APPEND_NEWLINE)
        for client in self._running:
            assert client.stdin is not None
            client.stdin.write(line)
        return list(await asyncio.gather(*map(self._answer, self._running)))

    async def _answer(self, client: asyncio.subprocess.Process) -> dict[str, Any]:
        assert client.stdout is not None
        line = await client.stdout.readline()
        if not line:
            raise BenchError(f"a client broke down. Its last words: {self._log.read_text().strip()[-600:]}")
        answer: dict[str, Any] = orjson.loads(line)
        return answer

    async def stop(self) -> None:
        """An order that never comes ends them."""
        for client in self._running:
            assert client.stdin is not None
            client.stdin.close()
        for client in self._running:
            try:
                await asyncio.wait_for(client.wait(), _ENDS_WITHIN_S)
            except TimeoutError:
                client.kill()
                await client.wait()


@contextlib.asynccontextmanager
async def clients(count: int, url: str, log: Path) -> AsyncIterator[Clients]:
    running: list[asyncio.subprocess.Process] = []
    started = Clients(running, log)
    try:
        for number in range(1, count + 1):
            running.append(await _client(url, f"pbx{number}", log))  # noqa: PERF401 - what runs must be known to stop
        yield started
    finally:
        await started.stop()


async def _client(url: str, name: str, log: Path) -> asyncio.subprocess.Process:
    with log.open("ab") as sink:
        # Ends with us, whatever ends us.
        return await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig=TERM"),
            *(sys.executable, "-m", "bench.acd.client", url, name),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=sink,
            cwd=_PROJECT,
            limit=_LONGEST_LINE,
            start_new_session=True,
        )
