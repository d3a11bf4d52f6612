"""The engine under test: `hotline up` with the Asterisk configuration it ships and the site in bench/site."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import aiohttp

from bench import processes
from bench.children import Child, spawn
from bench.network import AGENTS, Network
from bench.site_files import copy_filled
from bench.system import BenchError, Group

_SITE = Path(__file__).resolve().parent / "site"
_PROJECT = _SITE.parent.parent
_START_S = 60.0
_DRAIN_S = 30.0


class Hotline:
    name = "hotline"

    def __init__(self) -> None:
        self._up: Child | None = None
        self._api = Path()

    async def start(self, workdir: Path, network: Network) -> None:
        site, state = workdir / "site", workdir / "state"
        for folder in ("asterisk_conf", "agi_scripts"):
            shutil.copytree(_PROJECT / folder, site / folder)
        copy_filled(_PROJECT / "dialplan", site / "dialplan", {}, pattern="*.conf")
        copy_filled(_SITE, site, _values(network))
        self._api = state / "run" / "api.sock"
        command: list[str | Path] = [
            *(sys.executable, "-m", "engine.cli", "up", "--site", site, "--state", state),
            *("--sip-bind", network.system.host, "--port-base", str(network.system.port)),
        ]
        self._up = await spawn("hotline up", command, log=workdir / "hotline.log", cwd=_PROJECT)
        await self._up.until(self._api.exists, timeout=_START_S)

    def processes(self) -> dict[Group, list[int]]:
        groups: dict[Group, list[int]] = {}
        for pid in processes.descendants(self._up.pid) if self._up else ():
            groups.setdefault(_group(processes.command_line(pid)), []).append(pid)
        if "database" not in groups and os.environ.get("DATABASE_URL", "").startswith("postgresql"):
            groups["database"] = processes.named("postgres")
        return groups

    async def loop_lag_ms_p99(self) -> float | None:
        lag = (await self._status()).get("loop_lag_ms_p99")
        return None if lag is None else float(lag)

    async def stop(self) -> None:
        if self._up is not None:
            await self._up.stop(grace_s=_DRAIN_S)

    async def _status(self) -> dict[str, Any]:
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.UnixConnector(str(self._api)), timeout=aiohttp.ClientTimeout(total=5)
                ) as session,
                session.get("http://hotline/v1/status") as answer,
            ):
                status: dict[str, Any] = await answer.json()
                return status
        except (aiohttp.ClientError, TimeoutError) as silent:
            raise BenchError(f"the engine's API at {self._api} does not answer: {silent}") from silent


def _values(network: Network) -> dict[str, str]:
    return {
        "CALLER_HOST": network.caller.host,
        "IDENTITY_URL": f"http://{network.identity}/identity",
        "AGENTS": "\n".join(
            f'  "{agent}": {{name: Agent {agent}, contact: "sip:{agent}@{network.agents}"}}' for agent in AGENTS
        ),
    }


def _group(command_line: list[str]) -> Group:
    """By the programs on the command line; the engine is whatever is not one of the others.

    The whole line counts and not its first word alone: Asterisk may run under its own dynamic loader.
    """
    # Redis writes its address behind its name, into the same word.
    programs = [Path(word.split()[0]).name for word in command_line[:4] if word.split()]
    if "asterisk" in programs:
        return "asterisk"
    if any(program.startswith("redis-server") for program in programs):
        return "redis"
    if any(program.startswith("postgres") for program in programs):
        return "database"
    return "engine"
