"""Port bases that no other test run on this machine has at the same time."""

from __future__ import annotations

import fcntl
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest

from engine.host.state import Ports

# Below the ephemeral ports of Linux (32768), above what desk software likes; a hotline takes 3,000.
BASES = range(8000, 29001, 3000)


class PortBase:
    """One base, ours until `give_back`; the kernel gives it back for a run that was killed."""

    def __init__(self) -> None:
        for base in BASES:
            lock = _lock(base)
            if lock is not None and _free(base):
                self.base, self._lock = base, lock
                return
            if lock is not None:
                lock.close()
        pytest.fail(f"no free port base among {list(BASES)}; stop what uses them, other test runs perhaps")

    def give_back(self) -> None:
        self._lock.close()


def _lock(base: int) -> IO[str] | None:
    file = (Path(tempfile.gettempdir()) / f"hotline-e2e-{base}.lock").open("w")
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file
    file.close()
    return None


def _free(base: int) -> bool:
    ports = Ports(base)
    wanted = [(socket.SOCK_DGRAM, ports.sip), (socket.SOCK_STREAM, ports.ari), (socket.SOCK_STREAM, ports.ami)]
    for kind, port in wanted:
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
