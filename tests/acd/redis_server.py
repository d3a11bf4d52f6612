"""A redis-server of the tests' own: on a unix socket, in a scratch folder, ended by its pid."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import hiredis
import pytest

from tests.store.servers import free_port

_STARTS_WITHIN_S = 10.0
_PORTS_TRIED = 5


class RedisServer:
    """`tcp`: on a free port of 127.0.0.1 too, the same one whenever it is started. `sentinel`: what it watches."""

    def __init__(
        self, folder: Path, *, tcp: bool = False, options: Mapping[str, str] | None = None, sentinel: str = ""
    ) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._socket = folder / "redis.sock"
        self._tcp, self._options, self._sentinel = tcp, dict(options or {}), sentinel
        self._process: subprocess.Popen[bytes] | None = None
        self.port = self.bus_port = 0

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self, *, append_only: bool = False, wait: bool = True) -> None:
        """`wait`: until it answers a PING; one that loads does not."""
        program = shutil.which("redis-server")
        if program is None:
            pytest.fail("redis-server (7.0 or newer) is missing: apt-get install redis-server", pytrace=False)
        chosen = self._tcp and not self.port
        for _ in range(_PORTS_TRIED if chosen else 1):
            if chosen:
                self.port, self.bus_port = free_port(), free_port()
            self._process = subprocess.Popen(
                [program, str(self._configured(append_only)), *(["--sentinel"] if self._sentinel else [])],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            if not wait or (eventually(lambda: self._answers() or self._ended()) and not self._ended()):
                return
            # A port that was free a moment ago may be somebody else's now.
            self.kill()
        pytest.fail(f"redis-server did not start: {self._folder}/log", pytrace=False)

    def _configured(self, append_only: bool) -> Path:
        options = {"port": str(self.port), "dir": str(self._folder), "logfile": str(self._folder / "log")}
        options |= {"unixsocket": str(self._socket), "daemonize": "no", "protected-mode": "no"}
        if not self._sentinel:
            options |= {"save": '""', "appendonly": "yes" if append_only else "no", "appendfsync": "no"}
        options |= self._options
        if options.get("cluster-enabled"):
            options["cluster-port"] = str(self.bus_port)
        written = self._folder / "redis.conf"
        written.write_text("\n".join([*(f"{name} {value}" for name, value in options.items()), self._sentinel, ""]))
        return written

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _answers(self) -> bool:
        try:
            return bool(self.ask("PING") == "PONG")
        except (OSError, hiredis.ReplyError):
            return False

    def ask(self, *words: str | int) -> Any:
        """The reply of this server alone, over a connection of its own. Raises hiredis.ReplyError, OSError."""
        reader = hiredis.Reader(encoding="utf-8", notEnoughData=...)
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_STARTS_WITHIN_S)
            client.connect(str(self._socket))
            client.sendall(hiredis.pack_command(tuple[Any, ...](words)))
            while (reply := reader.gets()) is ...:
                received = client.recv(65536)
                if not received:
                    raise ConnectionResetError(f"{self._folder.name} hung up on {words[0]}")
                reader.feed(received)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def error(self, *words: str | int) -> str:
        """The error that it answers with, "" where it answers with something else."""
        try:
            self.ask(*words)
        except hiredis.ReplyError as error:
            return str(error)
        return ""

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        self._end()

    def stop(self) -> None:
        if self._process is not None:
            self.thaw()
            self._signal(signal.SIGTERM)
            self._end()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self) -> None:
        assert self._process is not None
        try:
            self._process.wait(10)
        finally:
            self._process.kill()
            self._process.wait(10)
            self._process = None
        self._socket.unlink(missing_ok=True)


def eventually(condition: Callable[[], object], within_s: float = _STARTS_WITHIN_S) -> bool:
    """Whether it came true in time; for fixtures, which stand outside of the event loop."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
