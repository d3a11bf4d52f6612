"""`hotline acd simulate` on a terminal and for programs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from redis import Redis
from typer.testing import CliRunner, Result

from engine.cli.main import app
from tests.acd.redis_server import RedisServer

EXAMPLES = Path(__file__).resolve().parents[2] / "examples/scenarios"
SHORT = ("--set", "hours=9:00-9:30")


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["acd", "simulate", *arguments])


def test_a_day_is_told_to_people_and_the_server_that_was_started_for_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = simulate(str(EXAMPLES / "busy_monday.yaml"), *SHORT)
    assert result.exit_code == 0, result.output
    for said in ("busy_monday: ", "service", "total", "SL_default(20 s, short 5 s)", "occupancy", "of agents' time"):
        assert said in result.output
    assert list(tmp_path.iterdir()) == []  # neither socket nor log: the folder goes after its server has ended


def test_whoever_is_told_to_end_ends_the_server_first(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "engine.cli", "acd", "simulate", str(EXAMPLES / "busy_monday.yaml")]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        deadline = time.monotonic() + 20
        while not (list(tmp_path.glob("*/redis.sock")) and list(tmp_path.glob("*/redis.child"))):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        server = json.loads(next(tmp_path.glob("*/redis.child")).read_text())["pid"]
        process.terminate()
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM, said.decode()
    assert said == b""
    assert list(tmp_path.iterdir()) == []
    assert not Path(f"/proc/{server}").exists()


def test_a_given_redis_gets_a_domain_of_its_own_and_keeps_nothing(redis_server: RedisServer) -> None:
    there = Redis.from_url(redis_server.url)
    there.flushall()
    there.set("hotline:{default}:seq", "1")
    results = [
        simulate(str(EXAMPLES / "busy_monday.yaml"), *SHORT, "--json", "--redis", redis_server.url, "--seed", seed)
        for seed in ("7", "7", "8")
    ]
    first, again, other = (json.loads(result.output) for result in results)
    assert first == again
    assert first != other
    assert first["seed"] == 7
    assert first["total"]["offered"] == sum(callers["offered"] for callers in first["classes"]) > 0
    assert there.keys() == [b"hotline:{default}:seq"]
    there.close()


def test_a_fault_of_the_file_is_told_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "day.yaml"
    path.write_text("hours: 9:00-18:00\nsite: nowhere\ncalls: {sales: {rate: 5, handle: 3m}}\n")
    result = simulate(str(path))
    assert result.exit_code == 2
    assert "no such folder" in result.output
    path.write_text("hours: 9:00-18:00\ncalls:\n  sales: {rate: 5}\n")
    result = simulate(str(path))
    assert result.exit_code == 2
    assert "day.yaml:3:3: `handle` is missing" in result.output
