"""`acd`: what a decision costs as the call centre grows; then cycles a second, latency at half of it, and memory."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.acd import cost
from bench.acd.clients import Clients, clients
from bench.acd.population import DOMAIN, QUEUES, agents, policies
from bench.acd.server import Server, server
from bench.figures import percentile
from bench.processes import MachineTime
from bench.system import BenchError
from engine.acd import Acd, Notice
from engine.redis_line import LineDown

_SETTLES_S = 0.5

Result = dict[str, Any]
"""The JSON line: times in the unit of their name, memory in bytes, CPU in microseconds a cycle or percent of a core."""


@dataclass(frozen=True, slots=True)
class Plan:
    agents: int
    waiting: int
    clients: int
    width: int  # decisions under way at a time, of each client
    rate: float  # decisions a second while latency is measured
    seconds: float  # of each of the four measurements
    rounds: int  # batches by which a verb's cost is measured
    sizes: tuple[int, int] = (100, 10_000)  # of call centres between which that cost is compared


async def measure(plan: Plan, console: Console) -> Result:
    """How far it is goes to `console`. Raises BenchError."""
    try:
        return await _costs(plan, console) | await _load(plan, console)
    except LineDown as fault:
        raise BenchError(str(fault)) from fault


async def _costs(plan: Plan, console: Console) -> Result:
    found: dict[str, cost.Costs] = {}
    for size in plan.sizes:
        console.print(f"what a decision costs with {size:,} agents and {size:,} waiting …")
        with tempfile.TemporaryDirectory(prefix="hotline-bench-") as folder:
            async with server(Path(folder)) as redis:
                found[str(size)] = await cost.costs(redis, size, plan.rounds)
    small, large = found.values()
    return {"cost_ratio": round(cost.ratio(small, large), 2), "cost_us": found}


async def _load(plan: Plan, console: Console) -> Result:
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as name:
        folder = Path(name)
        async with server(folder) as redis, clients(plan.clients, redis.url, folder / "clients.log") as working:
            load = _Load(plan, console, redis, working)
            return await load.run()


class _Load:
    def __init__(self, plan: Plan, console: Console, redis: Server, working: Clients) -> None:
        self._plan, self._console, self._redis, self._clients = plan, console, redis, working

    async def run(self) -> Result:
        plan = self._plan
        self._console.print(f"{plan.agents:,} agents log in …")
        empty = await self._redis.memory()
        await cost.staff(Acd(self._redis.line, domain=DOMAIN, engine="bench", on_notice=_unexpected), plan.agents)
        staffed = await self._redis.memory()
        idle = await self._both("idle")
        before, journal = await self._redis.memory(), await self._journal()
        self._console.print(f"{plan.waiting:,} callers come to wait …")
        filled = await self._clients.obey(do="fill", waiting=plan.waiting // plan.clients)
        items = plan.waiting + sum(one["talking"] for one in filled)
        grown = await self._redis.memory() - before - (await self._journal() - journal)
        busy = await self._both("busy")
        return {
            **busy,
            "idle": idle,
            "bytes_per_agent": round((staffed - empty) / plan.agents),
            "bytes_per_item": round(grown / items),
            "agents": plan.agents,
            "waiting": plan.waiting,
            "clients": plan.clients,
            "requirements": 2 * len(QUEUES),
            "lines_per_agent": _lines_per_agent(plan.agents),
        }

    async def _both(self, cycle: str) -> Result:
        plan = self._plan
        self._console.print(f"{cycle} agents: as many cycles as there can be, {plan.seconds:g} s …")
        most = await self._measured(do="closed", cycle=cycle, seconds=plan.seconds, width=plan.width)
        rate = min(plan.rate, most["cycles_per_s"] / 2) if cycle == "idle" else plan.rate
        self._console.print(f"{cycle} agents: {rate:,.0f} decisions a second, {plan.seconds:g} s …")
        steady = await self._measured(do="open", cycle=cycle, seconds=plan.seconds, rate=rate / plan.clients)
        return most | {"decision_ms": steady["decision_ms"], "decisions_per_s": round(rate), "at_that_rate": steady}

    async def _measured(self, **order: Any) -> Result:
        machine, redis, ours = MachineTime.now(), await self._redis.main_thread_ms(), self._clients.cpu_ms()
        answers = await self._clients.obey(**order)
        redis, ours = await self._redis.main_thread_ms() - redis, self._clients.cpu_ms() - ours
        spent = MachineTime.now().busy - machine.busy
        cycles, seconds = sum(one["cycles"] for one in answers), max(one["seconds"] for one in answers)
        latencies = sorted(latency * 1000 for one in answers for latency in one["latencies"])
        # Letters from one client to another that are still under way.
        await asyncio.sleep(_SETTLES_S)
        return {
            "cycles_per_s": round(cycles / seconds),
            "decision_ms": {name: round(percentile(latencies, share), 2) for name, share in _MARKS.items()},
            "cpu_us_per_cycle": {"redis": round(redis * 1000 / cycles), "clients": round(ours * 1000 / cycles)},
            "redis_percent": round(redis / seconds / 10),
            "others_percent": round((spent - redis - ours) / seconds / 10),
        }

    async def _journal(self) -> int:
        return int(await self._redis.line.call("MEMORY", "USAGE", f"hotline:{{{DOMAIN}}}:journal") or 0)


_MARKS = {"p50": 0.5, "p99": 0.99, "max": 1.0}


def _lines_per_agent(count: int) -> float:
    lines = {line for policy in policies().values() for line in policy.lines().values()}
    met = sum(line.met_by(terms.skills, agent) for agent, terms in agents(count).items() for line in lines)
    return round(met / count, 1)


def _unexpected(notice: Notice) -> None:
    raise AssertionError(notice)
