"""`calls`: the demo call through both systems, at each rate, side by side in one go."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bench import sipp
from bench.app_queue_system import AppQueue
from bench.figures import Figures, figures, least_disturbed
from bench.hotline_system import Hotline
from bench.network import Network
from bench.run import measure
from bench.system import BenchError, System

SYSTEMS: dict[str, Callable[[], System]] = {"hotline": Hotline, "app_queue": AppQueue}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: every system at every rate, `rounds` times over."""

    rates: tuple[float, ...]
    systems: tuple[str, ...]
    seconds: float
    rounds: int
    network: Network
    keep: Path | None
    """Where logs and captures stay; None: nowhere."""


async def compare(plan: Plan, console: Console) -> list[Figures]:
    """One element a rate and system: of several rounds, which alternate, the least disturbed.

    Each run starts everything anew. How far it is goes to `console`. Raises `BenchError` when a run is
    impossible.
    """
    sipp.require_sipp()
    done: list[Figures] = []
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as scratch:
        for cps in plan.rates:
            rounds: dict[str, list[Figures]] = {name: [] for name in plan.systems}
            for number in range(1, plan.rounds + 1):
                for name in plan.systems:
                    console.print(f"{name}, {plan.seconds:g} s at {cps:g} calls/s, round {number}/{plan.rounds} …")
                    workdir = _folder(plan.keep or Path(scratch), f"{name}-{cps:g}-{number}")
                    run = await measure(
                        SYSTEMS[name](), cps=cps, seconds=plan.seconds, workdir=workdir, network=plan.network
                    )
                    rounds[name].append(figures(run))
            done += [least_disturbed(rounds[name]) for name in plan.systems]
    return done


def _folder(parent: Path, name: str) -> Path:
    folder = parent.resolve() / name
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise BenchError(f"{folder} is there already: name a new folder to keep the run in") from None
    return folder
