"""One run: one system, freshly started, at one rate."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import identity, pcap, processes, sipp, story
from bench.capture import capturing
from bench.children import Child, running, spawn
from bench.network import Network
from bench.system import GROUPS, BenchError, Group, System

WARM_UP_CALLS = 20
_WARM_UP_CPS = 5.0
_PROJECT = Path(__file__).resolve().parent.parent
# What a system writes behind a call (its row, its log) belongs to the call's cost.
_SETTLE_S = 2.0
_SYSTEM_START_S = 120.0


@dataclass(frozen=True, slots=True)
class Cost:
    cpu_ms: dict[Group, float]
    peak_rss_mb: dict[Group, float]
    others_cpu_percent: float
    """What the rest of the machine used meanwhile, in percent of one core: how quiet it was."""
    stolen_cpu_percent: float


@dataclass(frozen=True, slots=True)
class Run:
    system: str
    cps: float
    calls: int
    story: story.Story
    cost: Cost
    loop_lag_ms_p99: float | None
    packets_dropped: int
    look_ups: int
    """Callers that the identity endpoint was asked about."""

    def failures(self) -> Counter[str]:
        """Failed calls by what was missing; a call that never showed on the wire is `never placed`."""
        reasons = Counter(reason for call in self.story.calls.values() if (reason := call.failure()))
        if never := self.calls - len(self.story.calls):
            reasons["never placed"] = never
        return reasons


async def measure(system: System, *, cps: float, seconds: float, workdir: Path, network: Network) -> Run:
    """Start everything, warm up, place the calls, stop everything; raises `BenchError` if that is impossible.

    A failed call is a result, not an error.
    """
    calls = max(1, round(cps * seconds))
    lifetime_s = _SYSTEM_START_S + WARM_UP_CALLS / _WARM_UP_CPS + seconds + 10 * sipp.CALL_S
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(await _start_identity(network, workdir)))
        await stack.enter_async_context(running(await sipp.start_agents(network, workdir, lifetime_s=lifetime_s)))
        stack.push_async_callback(system.stop)
        try:
            async with asyncio.timeout(_SYSTEM_START_S):
                await system.start(workdir / system.name, network)
        except TimeoutError:
            raise BenchError(f"{system.name} was not up within {_SYSTEM_START_S:g} s") from None
        await _place(network, workdir, prefix="138", calls=WARM_UP_CALLS, cps=_WARM_UP_CPS)
        await asyncio.sleep(_SETTLE_S)
        async with capturing(network, workdir) as capture:
            asked_before = await identity.look_ups(network.identity)
            meter = _Meter(system)
            await _place(network, workdir, prefix="139", calls=calls, cps=cps)
            await asyncio.sleep(_SETTLE_S)
            cost = meter.read()
            look_ups = await identity.look_ups(network.identity) - asked_before
        lag = await system.loop_lag_ms_p99()
        told = await asyncio.to_thread(lambda: story.read(pcap.datagrams(capture.pcap), network))
        return Run(system.name, cps, calls, told, cost, lag, capture.dropped(), look_ups)


async def _start_identity(network: Network, workdir: Path) -> Child:
    command = [sys.executable, "-m", "bench.identity", str(network.identity.port)]
    child = await spawn("the identity server", command, log=workdir / "identity.log", cwd=_PROJECT)
    try:
        await child.until(lambda: _listens(network.identity.host, network.identity.port), timeout=20)
    except BaseException:
        await child.stop()
        raise
    return child


def _listens(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=0.2):
        return True
    return False


async def _place(network: Network, workdir: Path, *, prefix: str, calls: int, cps: float) -> None:
    callers = await sipp.start_callers(network, workdir, prefix=prefix, calls=calls, cps=cps)
    async with running(callers):
        exit_code = await callers.wait(timeout=calls / cps + 4 * sipp.CALL_S)
    # 1 means that calls failed, which the wire will tell; anything else that SIPp could not run.
    if exit_code not in (0, 1):
        raise BenchError(f"SIPp (callers) ended with exit code {exit_code}. {callers.last_words()}")


class _Meter:
    """CPU and memory since its making, by group, and what the rest of the machine did meanwhile."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._groups = system.processes()
        self._cpu = _by_group(self._groups, processes.cpu_ms)
        self._machine = processes.MachineTime.now()
        self._ours = processes.cpu_ms(processes.descendants(os.getpid()))
        self._started = time.monotonic()

    def read(self) -> Cost:
        """Raises `BenchError` when a process of the system is gone: its cost would be missing."""
        elapsed_ms = (time.monotonic() - self._started) * 1000
        groups = self._system.processes()
        for group in GROUPS:
            if gone := set(self._groups.get(group, ())) - set(groups.get(group, ())):
                raise BenchError(f"{group} of {self._system.name} ended during the run (process {min(gone)})")
        cpu = _by_group(groups, processes.cpu_ms)
        machine = processes.MachineTime.now()
        ours = processes.cpu_ms(processes.descendants(os.getpid())) - self._ours
        return Cost(
            cpu_ms={group: cpu[group] - self._cpu[group] for group in GROUPS},
            peak_rss_mb=_by_group(groups, processes.peak_rss_mb),
            others_cpu_percent=max(0.0, machine.busy - self._machine.busy - ours) / elapsed_ms * 100,
            stolen_cpu_percent=(machine.stolen - self._machine.stolen) / elapsed_ms * 100,
        )


def _by_group(groups: dict[Group, list[int]], measure_pids: Callable[[list[int]], float]) -> dict[Group, float]:
    return {group: measure_pids(groups.get(group, [])) for group in GROUPS}
