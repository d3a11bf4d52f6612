"""The state folder: everything a running hotline writes. Delete it and only history and secrets are lost."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Linux's sockaddr_un holds 108 bytes with its final zero.
LONGEST_SOCKET_PATH = 107
LEAST_FREE_BYTES = 200 * 1024 * 1024


class CannotRun(Exception):  # noqa: N818 - it is told to a person, in one sentence with the remedy
    """This machine or its settings do not let the hotline run; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one hotline, counted from its base: several hotlines live side by side."""

    base: int

    @property
    def sip(self) -> int:
        """SIP, UDP."""
        return self.base

    @property
    def ari(self) -> int:
        """ARI's HTTP, TCP, loopback only."""
        return self.base + 2

    @property
    def ami(self) -> int:
        """AMI, TCP, loopback only."""
        return self.base + 3

    @property
    def agi(self) -> int:
        """FastAGI, TCP, loopback only."""
        return self.base + 4

    @property
    def rtp(self) -> tuple[int, int]:
        """First and last UDP port of the media: 1,000 legs."""
        return self.base + 1000, self.base + 2999


class State:
    """The folder and what is where in it."""

    def __init__(self, folder: Path) -> None:
        """Only computes; `make` creates. Raises CannotRun when its path is too long to hold a socket."""
        self.folder = folder.resolve()
        self.run = self.folder / "run"
        self.log = self.folder / "log"
        self.asterisk = self.folder / "asterisk"
        self.redis = self.folder / "redis"
        self.recordings = self.folder / "recordings"
        if len(str(self.run / "asterisk.ctl")) > LONGEST_SOCKET_PATH:
            raise CannotRun(f"{self.folder} is too long a path for a Unix socket; give --state a shorter one")

    def make(self) -> None:
        """Creates what is missing, and keeps the folder to its owner: phones' passwords, callers' numbers and
        conversations are in it. Raises CannotRun."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = self.folder.stat().st_mode
            if mode & stat.S_ISVTX:  # /tmp and its like: closing it would close it for everybody
                raise CannotRun(f"{self.folder} is shared by everybody; give --state a folder of its own")
            if mode & 0o077:
                self.folder.chmod(0o700)
            for place in (self.run, self.log, self.asterisk, self.redis, self.recordings, self._secrets):
                place.mkdir(exist_ok=True)
            self._secrets.chmod(0o700)
        except OSError as error:
            message = f"cannot write to {self.folder}: {error.strerror}; give --state another folder"
            raise CannotRun(message) from error

    @property
    def _secrets(self) -> Path:
        return self.folder / "secrets"

    @property
    def api_socket(self) -> Path:
        """Where the engine's API listens."""
        return self.run / "api.sock"

    @property
    def redis_socket(self) -> Path:
        """Where our own Redis listens."""
        return self.run / "redis.sock"

    @property
    def database_url(self) -> str:
        """The database when none is given."""
        return f"sqlite+aiosqlite:///{self.folder / 'hotline.db'}"

    def secret(self, name: str) -> str:
        """The installation's secret of this name, generated the first time it is asked for.
        Raises CannotRun where no hotline ever ran, or not by this user."""
        path = self._secrets / name
        try:
            return path.read_text().strip()
        except PermissionError:
            message = f"{self.folder} belongs to another user; run this as the one who runs the hotline"
            raise CannotRun(message) from None
        except FileNotFoundError:
            if not self._secrets.is_dir():
                message = f"no hotline ever ran with {self.folder}; start it with `hotline up`, or name its --state"
                raise CannotRun(message) from None
            fresh = secrets.token_urlsafe(24)
            # O_EXCL: of two processes that ask at once, one makes it and both read the same.
            try:
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(fresh + "\n")
            except FileExistsError:
                return path.read_text().strip()
            return fresh

    def require_space(self) -> None:
        """Raises CannotRun when the disk is as good as full: Redis and the database would fail mid-call."""
        free = shutil.disk_usage(self.folder).free
        if free < LEAST_FREE_BYTES:
            raise CannotRun(
                f"only {free // 2**20} MB free at {self.folder}, {LEAST_FREE_BYTES // 2**20} MB needed; "
                "free some space, or give --state a folder on another disk"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one `hotline up` a state folder; the kernel drops the lock however the process ends."""
        with (self.run / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.seek(0)
                message = (
                    f"a hotline already runs on {self.folder} (pid {file.read().strip()}); stop it, or give --state"
                )
                raise CannotRun(message) from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
