"""The hotline of the demo as child processes: `hotline up` on a site, and the example identity server."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.host.state import CannotRun, State

PROJECT = Path(__file__).resolve().parents[1]
STARTS_S = 120.0
STOPS_S = 60.0


@dataclass(frozen=True, slots=True)
class Where:
    """Where the demo's hotline is."""

    site: Path
    state: Path
    bind: str
    port_base: int

    @property
    def sip(self) -> str:
        """Its SIP address."""
        return f"{self.bind}:{self.port_base}"


class DemoHotline:
    """`async with DemoHotline(...)`: running inside, gone outside. Raises CannotRun when it does not start."""

    def __init__(self, where: Where, say: Callable[[str], None]) -> None:
        self._where, self._say = where, say
        self.state = State(where.state)
        self._children: list[asyncio.subprocess.Process] = []
        self._echo: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.state.make()
        try:
            port = _free_port()
            secret = self.state.folder / "secrets/identity"
            self.state.secret("identity")
            identity = await self._spawn(
                "-m", "examples.identity_server", "--port", str(port), "--secret-file", str(secret)
            )
            self._say(f"identity endpoint: examples/identity_server on 127.0.0.1:{port} (pid {identity.pid})")
            await self._up(f"http://127.0.0.1:{port}/identity")
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _up(self, identity_url: str) -> None:
        where = self._where
        up = await self._spawn(
            *("-m", "engine.cli", "up", "--site", str(where.site), "--state", str(where.state)),
            *("--sip-bind", where.bind, "--port-base", str(where.port_base), "--drain", "5"),
            identity_url=identity_url,
        )
        ready = asyncio.get_running_loop().create_future()
        self._echo = asyncio.ensure_future(self._read(up, ready))
        try:
            last = await asyncio.wait_for(asyncio.shield(ready), STARTS_S)
        except TimeoutError:
            raise CannotRun(f"the hotline was not ready in {STARTS_S:g} s; see {self.state.log}") from None
        if last is not None:
            raise CannotRun(last)

    async def _read(self, up: asyncio.subprocess.Process, ready: asyncio.Future[str | None]) -> None:
        assert up.stdout is not None  # noqa: S101 - it was asked for
        last = ""
        async for raw in up.stdout:
            last = raw.decode(errors="replace").rstrip()
            self._say(last.removeprefix("hotline: "))
            if last.startswith("hotline: ready") and not ready.done():
                ready.set_result(None)
        if not ready.done():
            ready.set_result(last or "the hotline ended at once")

    async def _spawn(self, *words: str, identity_url: str = "") -> asyncio.subprocess.Process:
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        if identity_url:
            environment["HOTLINE_IDENTITY_URL"] = identity_url
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if identity_url else asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.STDOUT if identity_url else asyncio.subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # Ctrl-C is ours; we stop them in order
        )
        self._children.append(child)
        return child

    async def _end(self) -> None:
        for child in reversed(self._children):
            if child.returncode is None:
                child.send_signal(signal.SIGTERM)
                try:
                    await asyncio.wait_for(child.wait(), STOPS_S)
                except TimeoutError:
                    child.kill()
                    await child.wait()
        if self._echo is not None:
            self._echo.cancel()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
