"""PostgreSQL as the tests need it, and a line to it that can be pulled out."""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

POSTGRESQL = Path("/usr/lib/postgresql/15/bin")


class PostgresqlServer:
    """Debian's PostgreSQL 15 with a throw-away cluster on 127.0.0.1."""

    def __init__(self) -> None:
        if not (POSTGRESQL / "initdb").exists():
            missing = f"PostgreSQL 15 is missing in {POSTGRESQL}: `make setup` installs postgresql-15"
            pytest.fail(missing, pytrace=False)
        self._folder = Path(tempfile.mkdtemp(prefix="hotline-pg-"))
        self._port = free_port()
        # PostgreSQL refuses to run as root; Debian's package brings the user that it runs as.
        self._as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as_user:
            shutil.chown(self._folder, "postgres", "postgres")
        self.url = f"postgresql://hotline:secret@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Returns when it answers."""
        password = self._folder / "password"
        password.write_text("secret\n")
        if self._as_user:
            shutil.chown(password, "postgres", "postgres")
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", "hotline", "-A", "scram-sha-256", f"--pwfile={password}", "-N")
        fast = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off"
        where = f"-c listen_addresses=127.0.0.1 -p {self._port} -k {self._folder}"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", data, "-w", "-t", "60", "-l", log, "-o", f"{where} {fast}", "start")

    def remove(self) -> None:
        data = self._folder / "data"
        if (data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, str(POSTGRESQL / program), *arguments]
        # pg_ctl leaves its output to the server: a pipe would stay open for as long as that runs.
        with (self._folder / "output").open("w+b") as output:
            done = subprocess.run(command, stdout=output, stderr=output, cwd=self._folder)
            output.seek(0)
            if done.returncode != 0:
                raise RuntimeError(f"{program} failed: {output.read().decode()}")


class Cable:
    """A TCP line to a server that a test can pull out and plug in again, at the same port."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self.port = 0
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()

    async def plug(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def pull(self) -> None:
        """Cuts what is connected and refuses what comes."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for end in list(self._ends):
            end.transport.abort()
        self._ends.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._to)
        self._ends |= {writer, far_writer}
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
