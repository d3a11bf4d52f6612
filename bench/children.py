"""Child processes of the benchmark: each has a log, an owner and an end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from bench.system import BenchError


class Child:
    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    @property
    def pid(self) -> int:
        return self.process.pid

    async def wait(self, *, timeout: float) -> int:
        """The exit code; raises `BenchError` when the process outlives `timeout` seconds."""
        try:
            return await asyncio.wait_for(self.process.wait(), timeout)
        except TimeoutError:
            raise BenchError(f"{self.name} did not end within {timeout:g} s. {self.last_words()}") from None

    async def until(self, ready: Callable[[], bool], *, timeout: float) -> None:
        """Return once `ready()` holds; raises `BenchError` when the process ends or `timeout` s pass."""
        deadline = asyncio.get_running_loop().time() + timeout
        while not ready():
            if self.process.returncode is not None:
                raise BenchError(f"{self.name} ended with exit code {self.process.returncode}. {self.last_words()}")
            if asyncio.get_running_loop().time() > deadline:
                raise BenchError(f"{self.name} was not ready within {timeout:g} s. {self.last_words()}")
            await asyncio.sleep(0.05)

    async def stop(self, *, grace_s: float = 10.0, first: signal.Signals = signal.SIGTERM) -> None:
        """Ask with `first`, wait `grace_s`, then kill; returns when the process is gone."""
        for sign, patience_s in ((first, grace_s), (signal.SIGKILL, 5.0)):
            if self.process.returncode is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(sign)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), patience_s)

    def last_words(self) -> str:
        tail = self.log.read_text(errors="replace").strip()[-600:] if self.log.exists() else ""
        return f"Its last words: {tail}" if tail else f"It said nothing ({self.log})."


async def spawn(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    stdout: int | None = None,
) -> Child:
    """Start `command`; what it prints goes to `log` (stdout to the file descriptor `stdout` if given).

    setpriv ties the child to us, so that even `kill -9` of the benchmark leaves nothing running; the session
    of its own keeps a Ctrl-C in the terminal from reaching the children before we stop them in order.
    """
    with log.open("ab") as sink:
        try:
            process = await asyncio.create_subprocess_exec(
                "setpriv",
                "--pdeathsig=TERM",
                *[str(part) for part in command],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink if stdout is None else stdout,
                stderr=sink,
                cwd=cwd,
                env=None if env is None else os.environ | env,
                start_new_session=True,
            )
        except FileNotFoundError as missing:
            raise BenchError(f"{name} cannot be started: {missing}") from missing
    return Child(name, process, log)


@contextlib.asynccontextmanager
async def running(child: Child) -> AsyncIterator[Child]:
    try:
        yield child
    finally:
        await child.stop()
