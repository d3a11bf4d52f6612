"""A server that `hotline up` runs: started or, after `kill -9` of the last supervisor, taken over."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger()


def _birth(pid: int) -> int | None:
    """When the process was born, in clock ticks since boot: a pid that was given again is another birth.
    None when there is none, or only a zombie. Source: proc(5), /proc/[pid]/stat fields 3 and 22."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


class Child:
    """One process of ours, remembered in a pid file so that the next supervisor finds it."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        run: Path,
        log_file: Path,
        environment: Mapping[str, str] | None = None,
        settings: str = "",
    ) -> None:
        """`settings`: what it was started with, besides its argv; a running one with others is not taken over."""
        self.name = name
        self.pid = 0
        self._settings = [*argv, settings]
        self._argv = list(argv)
        self._pid_file = run / f"{name}.child"  # Asterisk writes an asterisk.pid of its own
        self.log_file = log_file
        self._environment = {**os.environ, **(environment or {})}
        self._process: asyncio.subprocess.Process | None = None

    def running(self) -> int | None:
        """The pid of the one that is already there, if it is the very process that the pid file means."""
        noted = self._noted()
        # No birth was noted of one that had ended before it could be looked at.
        if not noted or noted["birth"] is None or _birth(noted["pid"]) != noted["birth"]:
            return None
        return int(noted["pid"])

    def _noted(self) -> dict[str, Any]:
        try:
            noted: dict[str, Any] = json.loads(self._pid_file.read_text())
        except (OSError, ValueError):
            return {}
        return noted

    async def start(self) -> bool:
        """Starts it, or takes over the one that is there; True when it was there. Raises OSError."""
        there = self.running()
        if there is not None and self._noted().get("settings") == self._settings:
            self.pid, self._process = there, None
            return True
        if there is not None:
            await self.stop(10)
        with self.log_file.open("ab") as output:
            # A session of its own: Ctrl-C in the terminal is for the supervisor, which then stops us in order.
            self._process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._pid_file.write_text(json.dumps({"pid": self.pid, "birth": _birth(self.pid), "settings": self._settings}))
        return False

    async def ended(self) -> str:
        """Returns when it has ended, and says how: "exit code 1", "killed by signal 9"; "" for one that was taken
        over, since only a parent is told."""
        if self._process is not None:
            code = await self._process.wait()
            return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        await self._pid_ended(self.running() or self.pid)
        return ""

    async def _pid_ended(self, pid: int) -> None:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        gone = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(descriptor, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)

    async def stop(self, deadline_s: float, how: signal.Signals = signal.SIGTERM) -> None:
        """Asks it to end, and ends it after `deadline_s` seconds."""
        pid = self.running()
        if pid is None:
            self._pid_file.unlink(missing_ok=True)
            return
        with suppress(ProcessLookupError):  # it may end by itself at any of these moments
            os.kill(pid, how)
            try:
                await asyncio.wait_for(self._pid_ended(pid), deadline_s)
            except TimeoutError:
                log.warning("child.killed", child=self.name, pid=pid, after_s=deadline_s)
                os.kill(pid, signal.SIGKILL)
                await self._pid_ended(pid)
        self._pid_file.unlink(missing_ok=True)

    def last_words(self) -> str:
        """The end of its log, for the sentence that says why it would not start."""
        try:
            lines = self.log_file.read_bytes()[-4000:].decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""
