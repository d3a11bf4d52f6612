"""`hotline up` where it cannot run: one sentence with the remedy, exit code 1, nothing left running."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.host.state import Ports
from tests.e2e.ports import PortBase
from tests.setup.machine import PROJECT, Machine

ENDS_S = 60.0
OUTSIDE = ("HOTLINE_REDIS_URL", "HOTLINE_ARI_URL", "DATABASE_URL", "HOTLINE_SITE", "HOTLINE_STATE")

Process = asyncio.subprocess.Process


class Place:
    """A scratch state folder and ports for one `hotline up`."""

    def __init__(self, folder: Path, base: int) -> None:
        self.state = folder / "st"
        self.ports = Ports(base)

    async def up(self, **environment: str) -> Process:
        argv = [sys.executable, "-m", "engine.cli", "up", "--site", str(PROJECT), "--state", str(self.state)]
        argv += ["--port-base", str(self.ports.base), "--drain", "1"]
        outer = {name: value for name, value in os.environ.items() if name not in OUTSIDE}
        return await asyncio.create_subprocess_exec(
            *argv,
            cwd=PROJECT,
            env={**outer, "COLUMNS": "1000", **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def refused(self, **environment: str) -> str:
        """Runs `hotline up`, which must end with code 1 and leave nothing behind; gives its last line."""
        process = await self.up(**environment)
        said, _ = await asyncio.wait_for(process.communicate(), ENDS_S)
        assert process.returncode == 1, said.decode()
        assert "Traceback" not in said.decode()
        return said.decode().strip().splitlines()[-1]

    def running(self) -> list[str]:
        """Command lines of all processes that were told of this state folder."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(self.state) in line and process.name != str(os.getpid()):
                found.append(line)
        return found


@pytest.fixture
def place() -> Iterator[Place]:
    # Not tmp_path: Unix sockets have short names.
    folder = Path(tempfile.mkdtemp(prefix="hl-"))
    base = PortBase()
    yield Place(folder, base.base)
    base.give_back()
    shutil.rmtree(folder)


@pytest.fixture
async def serving(place: Place) -> AsyncIterator[Process]:
    """A hotline that is ready on the place."""
    process = await place.up()
    assert process.stdout is not None
    async with asyncio.timeout(ENDS_S):
        said = b""
        while b"ready: " not in said:
            line = await process.stdout.readline()
            assert line, said.decode()
            said += line
    yield process
    if process.returncode is None:
        process.terminate()
    await asyncio.wait_for(process.communicate(), ENDS_S)


async def test_the_sip_port_is_taken(place: Place) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.bind(("127.0.0.1", place.ports.sip))
        said = await place.refused()
    assert said.endswith(
        f"UDP port {place.ports.sip} on 127.0.0.1 (SIP) cannot be used: Address already in use; "
        "stop what uses it, or give --port-base another number"
    )
    assert place.running() == []


async def test_the_ari_port_is_taken(place: Place) -> None:
    with socket.create_server(("127.0.0.1", place.ports.ari)):
        said = await place.refused()
    assert f"TCP port {place.ports.ari} on 127.0.0.1 (ARI) cannot be used: Address already in use" in said
    assert place.running() == []


async def test_no_redis_server(place: Place, machine: Machine) -> None:
    said = await place.refused(PATH=str(machine.bin))
    assert said.endswith("there is no redis-server; `make setup` installs it, or give --redis URL")
    assert place.running() == []


async def test_an_asterisk_that_ends_at_once_takes_redis_and_the_engine_with_it(place: Place, machine: Machine) -> None:
    broken = machine.has("asterisk", '[[ $1 != -V ]] || { echo Asterisk 22.4.0; exit; }; echo "no modules" >&2; exit 1')
    process = await place.up(HOTLINE_ASTERISK=str(broken))
    try:
        said, _ = await asyncio.wait_for(process.communicate(), ENDS_S)
        assert process.returncode == 1, said.decode()
        assert "no modules" in said.decode()
        assert place.running() == []
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.communicate(), ENDS_S)


async def test_a_second_one_on_the_same_state_leaves_the_first_alone(place: Place, serving: Process) -> None:
    before = place.running()
    said = await place.refused()
    assert said == f"a hotline already runs on {place.state} (pid {serving.pid}); stop it, or give --state"
    assert place.running() == before
    serving.terminate()
    await asyncio.wait_for(serving.communicate(), ENDS_S)
    assert serving.returncode == 0
    assert place.running() == []


async def test_a_state_folder_whose_path_is_too_long(place: Place) -> None:
    place.state = place.state / ("far" * 30)
    said = await place.refused()
    assert said.endswith(f"{place.state} is too long a path for a Unix socket; give --state a shorter one")
    assert not place.state.exists()


async def test_a_state_folder_that_cannot_be_made(place: Place) -> None:
    file = place.state
    file.write_text("a file, no folder")
    place.state = file / "st"
    assert await place.refused() == f"cannot write to {place.state}: Not a directory; give --state another folder"


def test_a_full_disk(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=50 * 2**20))
    options = ["--site", str(PROJECT), "--state", str(place.state), "--port-base", str(place.ports.base)]
    said = CliRunner().invoke(app, ["up", *options])
    assert said.exit_code == 1
    assert said.output.strip() == (
        f"only 50 MB free at {place.state}, 200 MB needed; free some space, or give --state a folder on another disk"
    )
    assert place.running() == []
