"""`hotline acd`: who answers, tried out."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import JsonOption, console, fail, faults, plain_table, print_json

if TYPE_CHECKING:
    from engine.simulation.report import Report, Spread, Waits
    from engine.simulation.scenario import Scenario

app = typer.Typer(help="Who answers: a day of callers and agents tried out.", no_args_is_help=True)


@app.callback()
def acd() -> None:
    """A group, though it has one command."""


@app.command()
def simulate(
    scenario: Annotated[Path, typer.Argument(help="A scenario: who calls, who answers (docs/simulation.md).")],
    change: Annotated[
        list[str] | None, typer.Option("--set", help="Another value for a setting: crews.early.count=13.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Another day of the same kind.")] = None,
    redis: Annotated[
        str | None, typer.Option(help="Use this Redis, in a domain of its own, and start none: redis://host:port/0")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a day through the ACD in virtual time: service level, waits, occupancy, fairness."""
    import uvloop

    from engine.simulation.scenario import read_scenario

    try:
        read = read_scenario(scenario, change or ())
        if seed is not None:
            read = replace(read, seed=seed)
        began = time.perf_counter()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            report = runner.run(_played(read, redis))
        took_s = time.perf_counter() - began
    except asyncio.CancelledError:
        raise typer.Exit(128 + signal.SIGTERM) from None
    except Exception as error:
        if isinstance(error, faults()):
            raise fail(error) from None
        raise
    if as_json:
        print_json(report.data())
    else:
        _print(report, took_s)


async def _played(scenario: Scenario, redis: str | None) -> Report:
    from engine.simulation.day import Day
    from engine.simulation.report import report_of
    from engine.simulation.server import given_redis, own_redis

    myself = asyncio.current_task()
    assert myself is not None  # noqa: S101 - a coroutine that runs is a task's
    # Whoever ends us by a signal ends the server that we have started, too.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, myself.cancel)
    async with given_redis(redis) if redis else own_redis() as (line, domain):
        day = Day(scenario, line, domain=domain)
        await day.play()
        return report_of(day)


def _print(report: Report, took_s: float) -> None:
    calls = report.total.offered
    console.print(f"{report.scenario}: {report.about}" if report.about else report.scenario, style="bold")
    console.print(f"{calls:,} calls, seed {report.seed}, played in {took_s:.1f} s ({calls / took_s:,.0f} calls/s)")
    console.print()
    _print_waits([*report.classes, report.total])
    console.print(f"sl: {report.service_level_id}; asa, p50, p90, p95: of the answered; longest: of all")
    for waits in report.classes:
        _print_remarks(waits)
    console.print()
    _print_agents(report)
    _print_queues(report)


def _print_waits(rows: list[Waits]) -> None:
    table = plain_table(
        "callers", "offered", "answered", "abandoned", "other", "sl", "asa", "p50", "p90", "p95", "longest"
    )
    for row in rows:
        other = row.timed_out + row.refused + row.released + row.unserved
        figures = (row.asa_s, row.p50_s, row.p90_s, row.p95_s, row.longest_s)
        counts = (row.offered, row.answered, row.abandoned, other)
        table.add_row(row.callers, *map(str, counts), _percent(row.service_level), *map(_seconds, figures))
    console.print(table)


def _print_remarks(row: Waits) -> None:
    others = ("timed_out", "refused", "released", "unserved")
    if found := ", ".join(f"{getattr(row, name)} {name.replace('_', ' ')}" for name in others if getattr(row, name)):
        console.print(f"{row.callers}: {found}")
    if row.served_within_s is not None:
        limit = f"the limit of {_seconds(row.served_within_s)}"
        after = f"{row.over_limit} came to {limit} and were next; the longest waited {_seconds(row.longest_s)}"
        console.print(f"{row.callers}: {after if row.over_limit else f'nobody came to {limit}'}")


def _print_agents(report: Report) -> None:
    agents = report.agents
    table = plain_table(f"{agents.count} agents", "least", "mean", "most")
    table.add_row("occupancy", *_of(agents.occupancy, _percent))
    table.add_row("idle", *_of(agents.idle_s, _seconds))
    table.add_row("calls answered", *_of(agents.answered, lambda value: f"{value:.0f}"))
    console.print(table)
    console.print(f"offers ignored: {agents.ignored_offers}; set not ready for it: {agents.set_not_ready}")
    console.print()


def _print_queues(report: Report) -> None:
    table = plain_table("queue", "of callers", "of agents' time", "asa")
    for share in report.queues:
        table.add_row(share.queue, _percent(share.of_callers), _percent(share.of_agents_time), _seconds(share.asa_s))
    console.print(table)


def _of(spread: Spread | None, said: Callable[[float], str]) -> list[str]:
    return [said(value) for value in (spread.least, spread.mean, spread.most)] if spread else ["-"] * 3


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    minutes, seconds = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{seconds:02d}s" if minutes else f"{value:.1f}s"
