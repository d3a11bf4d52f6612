"""A server that `hotline up` runs, with `sh` in its place."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from engine.host.child import Child

ENDS_S = 10.0


@pytest.fixture
async def child(tmp_path: Path) -> AsyncIterator[Callable[[str], Child]]:
    """Makes a child that runs a line of shell; another one made for the same line finds it by its pid file."""
    made: list[Child] = []

    def make(line: str) -> Child:
        made.append(Child("sh", ["/bin/sh", "-c", line], run=tmp_path, log_file=tmp_path / "sh.log"))
        return made[-1]

    yield make
    for one in made:
        await one.stop(0.1, signal.SIGKILL)


async def test_one_that_ends_by_itself_says_its_exit_code(child: Callable[[str], Child]) -> None:
    one = child("exit 3")
    await one.start()
    assert await asyncio.wait_for(one.ended(), ENDS_S) == "exit code 3"


async def test_one_that_was_gone_before_its_birth_could_be_noted_is_not_running(tmp_path: Path) -> None:
    (tmp_path / "sh.child").write_text('{"pid": 4194303, "birth": null, "settings": []}')
    one = Child("sh", ["/bin/true"], run=tmp_path, log_file=tmp_path / "sh.log")
    assert one.running() is None
    await one.stop(0.1)


async def test_one_that_is_killed_says_the_signal(child: Callable[[str], Child]) -> None:
    one = child("exec sleep 60")
    await one.start()
    os.kill(one.pid, signal.SIGKILL)
    assert await asyncio.wait_for(one.ended(), ENDS_S) == "killed by signal 9"


async def test_of_one_that_was_taken_over_only_the_end_is_known(child: Callable[[str], Child]) -> None:
    first, successor = child("exec sleep 60"), child("exec sleep 60")
    await first.start()
    assert await successor.start()
    assert successor.pid == first.pid
    ending = asyncio.ensure_future(successor.ended())
    os.kill(first.pid, signal.SIGKILL)
    assert await asyncio.wait_for(ending, ENDS_S) == ""
