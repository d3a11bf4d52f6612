"""`python -m bench calls` and `python -m bench acd`: see `--help`."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from bench import report
from bench.acd import report as acd_report
from bench.acd import run as acd_run
from bench.calls import SYSTEMS, Plan, compare
from bench.network import Network
from bench.system import BenchError

T = TypeVar("T")

app = typer.Typer(help="Benchmarks: against the systems of the field, and of the ACD alone.", no_args_is_help=True)

Rates = Annotated[list[float] | None, typer.Option("--cps", help="Calls a second; repeatable. [10, 30]")]
Systems = Annotated[
    list[str] | None, typer.Option("--system", help=f"Repeatable. [{', '.join(SYSTEMS)}]", metavar="NAME")
]


@app.callback()
def benchmarks() -> None:
    """A command of its own for each benchmark."""


@app.command()
def calls(
    cps: Rates = None,
    system: Systems = None,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="How long to place calls in a run.")] = 30,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Repeat, and keep the least disturbed.")] = 1,
    port_base: Annotated[int, typer.Option(min=1024, max=29000, help="First of 3,000 ports.")] = 17000,
    keep: Annotated[Path | None, typer.Option(help="Keep logs and captures in this new folder.")] = None,
    json: Annotated[bool, typer.Option("--json", help="End with one line of JSON on stdout.")] = False,
) -> None:
    """The demo call through the engine and through app_queue, side by side."""
    console = Console(stderr=json)
    names = tuple(system or SYSTEMS)
    if unknown := set(names) - SYSTEMS.keys():
        raise typer.BadParameter(f"no such system: {', '.join(sorted(unknown))}; there are {', '.join(SYSTEMS)}")
    plan = Plan(tuple(cps or (10.0, 30.0)), names, seconds, rounds, Network(port_base), keep)
    runs = _finished(compare(plan, console), console)
    report.print_table(console, runs)
    report.print_goals(console, runs)
    if json:
        typer.echo(report.json_line(runs))


@app.command()
def acd(
    agents: Annotated[int, typer.Option(min=1_000, max=50_000, help="How many work.")] = 5_000,
    waiting: Annotated[int, typer.Option(min=100, max=50_000, help="How many callers wait all the time.")] = 5_000,
    clients: Annotated[int, typer.Option(min=1, max=16, help="Engines, each a process.")] = 2,
    width: Annotated[int, typer.Option(min=1, max=500, help="Cycles under way at a time, of each client.")] = 16,
    rate: Annotated[float, typer.Option(min=1, help="Decisions a second while latency is measured.")] = 2_500,
    seconds: Annotated[float, typer.Option(min=1, max=60, help="Of each of the four measurements.")] = 4,
    rounds: Annotated[int, typer.Option(min=5, max=1_000, help="Batches of 20 by which costs are measured.")] = 40,
    json: Annotated[bool, typer.Option("--json", help="End with one line of JSON on stdout.")] = False,
) -> None:
    """The ACD alone, in a Redis of its own: cycles a second, latency, cost and memory of a decision."""
    console = Console(stderr=json)
    plan = acd_run.Plan(agents, waiting, clients, width, rate, seconds, rounds)
    result = _finished(acd_run.measure(plan, console), console)
    acd_report.print_result(console, result)
    if json:
        typer.echo(acd_report.json_line(result))


def _finished(benchmark: Coroutine[Any, Any, T], console: Console) -> T:
    """What it found; ends the program when it was impossible or stopped."""
    try:
        return asyncio.run(_until_told_to_stop(benchmark))
    except BenchError as impossible:
        console.print(f"[red]{impossible}[/]")
        raise typer.Exit(1) from impossible
    except asyncio.CancelledError:
        console.print("Stopped; nothing is left running.")
        raise typer.Exit(130) from None


async def _until_told_to_stop(benchmark: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(benchmark)

    def stop() -> None:
        # Once: a second Ctrl-C would cut the cleaning up short, which has its own deadlines.
        if not task.cancelling():
            task.cancel()

    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop)
    return await task


if __name__ == "__main__":
    app()
