"""`python -m bench calls`: see `--help`."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import report
from bench.calls import SYSTEMS, Plan, compare
from bench.figures import Figures
from bench.network import Network
from bench.system import BenchError

app = typer.Typer(help="Benchmarks against the systems of the field.", no_args_is_help=True)

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
    try:
        runs = asyncio.run(_until_told_to_stop(plan, console))
    except BenchError as impossible:
        console.print(f"[red]{impossible}[/]")
        raise typer.Exit(1) from impossible
    except asyncio.CancelledError:
        console.print("Stopped; nothing is left running.")
        raise typer.Exit(130) from None
    report.print_table(console, runs)
    report.print_goals(console, runs)
    if json:
        typer.echo(report.json_line(runs))


async def _until_told_to_stop(plan: Plan, console: Console) -> list[Figures]:
    task = asyncio.ensure_future(compare(plan, console))

    def stop() -> None:
        # Once: a second Ctrl-C would cut the cleaning up short, which has its own deadlines.
        if not task.cancelling():
            task.cancel()

    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop)
    return await task


if __name__ == "__main__":
    app()
