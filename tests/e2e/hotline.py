"""One real hotline: `hotline up` as a process of its own, with its Asterisk, its Redis and its engine."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.api.client import NoEngine, Refused, ask
from engine.host.child import Child
from engine.host.state import Ports, State
from tests.e2e import site_of_tones
from tests.e2e.identity_endpoint import IdentityEndpoint
from tests.e2e.ports import PortBase
from tests.e2e.waiting import until

STARTS_S = 60.0
STOPS_S = 40.0
CHILDREN = ("redis", "asterisk", "engine")

Json = dict[str, Any]


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Hotline:
    """Owns a scratch folder (short: Unix sockets are in it), a port base, an identity endpoint, a process."""

    def __init__(self, *, identity_deadline_s: float = site_of_tones.IDENTITY_DEADLINE_S) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hl-"))
        self._base = PortBase()
        self.ports = Ports(self._base.base)
        self.far_end_port = self.ports.sip + 10
        self.site = site_of_tones.write(
            self.folder / "site", far_end_port=self.far_end_port, identity_deadline_s=identity_deadline_s
        )
        self.state = State(self.folder / "st")
        self.state.make()
        self.identity = IdentityEndpoint(self.state.secret("identity"))
        self.process: asyncio.subprocess.Process | None = None
        self.words = self.folder / "up.log"
        self._read_up_to: dict[Path, int] = {}

    @property
    def sip(self) -> str:
        return f"127.0.0.1:{self.ports.sip}"

    # Its life.

    async def open(self) -> None:
        await self.identity.open()
        await self.up()

    async def close(self, *, keep: bool = False) -> None:
        """Ends everything, whatever state a test left it in; `keep` leaves the folder for a person to look at."""
        try:
            await self._end()
        finally:
            await self.identity.close()
            self._base.give_back()
            if not keep:
                shutil.rmtree(self.folder, ignore_errors=True)

    async def _end(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), STOPS_S)
            except TimeoutError:
                self.process.kill()
        for child in CHILDREN:
            if (pid := self.pid(child)) is not None:
                os.kill(pid, signal.SIGKILL)

    async def up(self) -> None:
        """`hotline up`; returns when it is ready. Fails the test with its words when it cannot run."""
        argv = [sys.executable, "-m", "engine.cli", "up", "--site", str(self.site), "--state", str(self.state.folder)]
        argv += ["--port-base", str(self.ports.base), "--drain", "20"]
        outside = ("HOTLINE_REDIS_URL", "HOTLINE_ARI_URL", "DATABASE_URL", "HOTLINE_SITE", "HOTLINE_STATE")
        environment = {name: value for name, value in os.environ.items() if name not in outside}
        environment["HOTLINE_IDENTITY_URL"] = self.identity.url
        said_before = self.words.stat().st_size if self.words.exists() else 0
        with self.words.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=site_of_tones.PROJECT,
                env=environment,
                stdout=output,
                stderr=output,
                stdin=asyncio.subprocess.DEVNULL,
            )
        process = self.process

        async def ready() -> bool:
            if process.returncode is not None:
                pytest.fail(f"`hotline up` ended at once: {self.words.read_text()[-2000:]}", pytrace=False)
            return b"hotline: ready: " in self.words.read_bytes()[said_before:] and await self.ready()

        await until(ready, within=STARTS_S, what=f"`hotline up` is ready; its words are in {self.words}")
        for user in site_of_tones.OUTSIDE_POOL:  # they have a phone always, and would take calls that anybody may
            await ask(self.state.api_socket, f"/v1/agents/{user}/intent", body={"intent": "not_ready"})

    async def ended(self) -> int:
        """Waits until `hotline up` has ended and gives its exit code."""
        assert self.process is not None
        return await asyncio.wait_for(self.process.wait(), STOPS_S)

    def tell(self, which: signal.Signals) -> None:
        """A signal to the supervisor."""
        assert self.process is not None
        self.process.send_signal(which)

    def pid(self, child: str) -> int | None:
        """The pid of a child that runs."""
        return Child(child, [], run=self.state.run, log_file=self.state.log / "none").running()

    def kill(self, child: str, how: signal.Signals = signal.SIGKILL) -> int:
        """A signal to a child; gives its pid."""
        pid = self.pid(child)
        assert pid is not None, f"no {child} is running"
        os.kill(pid, how)
        return pid

    @contextmanager
    def frozen(self, child: str) -> Iterator[None]:
        """A child stands still, and goes on afterwards."""
        self.kill(child, signal.SIGSTOP)
        try:
            yield
        finally:
            self.kill(child, signal.SIGCONT)

    async def replaced(self, child: str, old: int) -> None:
        """Waits until the supervisor has started another one and the hotline is ready again."""

        async def another() -> bool:
            return self.pid(child) not in (None, old) and await self.ready()

        await until(another, within=STARTS_S, what=f"another {child} than {old} runs and the engine is ready")

    # What it says.

    async def ask(self, path: str) -> Any:
        return await ask(self.state.api_socket, path)

    async def ready(self) -> bool:
        try:
            status = await ask(self.state.api_socket, "/v1/status", timeout_s=2)
        except (NoEngine, Refused):
            return False
        return bool(status["ready"] and status["asterisk"]["connected"])

    async def ari(self, path: str, method: str = "GET") -> Any:
        """Asterisk's own word."""
        login = {"Authorization": aiohttp.encode_basic_auth("hotline", self.state.secret("ari"))}
        url = f"http://127.0.0.1:{self.ports.ari}/ari/{path}"
        async with aiohttp.ClientSession(headers=login) as session, session.request(method, url) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def agent(self, user: str) -> Json:
        agents: list[Json] = await self.ask("/v1/agents")
        return next(agent for agent in agents if agent["id"] == user)

    async def ended_calls(self) -> list[Json]:
        """Rows in the database, newest first."""
        rows: list[Json] = (await self.ask("/v1/calls?limit=1000"))["ended"]
        return rows

    async def active_calls(self) -> list[Json]:
        records: list[Json] = (await self.ask("/v1/calls?limit=1"))["active"]
        return records

    async def events(self, call_id: str) -> list[Json]:
        events: list[Json] = (await self.ask(f"/v1/calls/{call_id}"))["events"]
        return events

    def rows_on_disk(self) -> list[Json]:
        """What the database holds when no engine is there to be asked."""
        with sqlite3.connect(self.state.folder / "hotline.db") as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("SELECT * FROM calls ORDER BY arrived_ms")]

    def fresh_log(self) -> str:
        """What engine and supervisor have logged since this was last asked for."""
        said = []
        for file in (self.words, self.state.log / "engine.log", self.state.log / "asterisk.log"):
            text = file.read_text(errors="replace") if file.exists() else ""
            fresh, self._read_up_to[file] = text[self._read_up_to.get(file, 0) :], len(text)
            if fresh:
                said.append(f"--- {file.name}\n{fresh[-6000:]}")
        return "\n".join(said)
