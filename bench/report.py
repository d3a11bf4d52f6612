"""A finished benchmark as a table for people and as one line for programs."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from rich.console import Console
from rich.table import Table

from bench.figures import Figures, goals
from bench.system import GROUPS


def print_table(console: Console, runs: Sequence[Figures]) -> None:
    table = Table(title="The demo call, from the wire", title_justify="left")
    table.add_column("")
    for run in runs:
        table.add_column(f"{run['system']}\n{run['cps']:g} calls/s", justify="right")
    table.add_row("calls (failed)", *[f"{run['calls']} ({run['failed']})" for run in runs])
    for group in (*GROUPS, "total"):
        table.add_row(f"CPU ms a call: {group}", *[f"{run['cpu_ms_per_call'][group]:.2f}" for run in runs])
    for name, label in (
        ("key_to_invite_ms", "last key → INVITE at the agent, ms"),
        ("invite_to_200_ms", "INVITE → 200 to the caller, ms"),
    ):
        for mark in ("p50", "p99"):
            table.add_row(f"{label}, {mark}", *[_number(run[name][mark]) for run in runs])
    table.add_row("peak memory, MB", *[_number(run["peak_rss_mb"]) for run in runs])
    table.add_row("event-loop lag p99, ms", *[_number(run["loop_lag_ms_p99"]) for run in runs])
    table.add_row("retransmissions", *[str(sum(run["retransmissions"].values())) for run in runs])
    table.add_row("rest of the machine, % of a core", *[_number(run["others_cpu_percent"]) for run in runs])
    console.print(table)
    for run in runs:
        _print_doubts(console, run)


def print_goals(console: Console, runs: Sequence[Figures]) -> None:
    for cps in sorted({run["cps"] for run in runs}):
        sides = {run["system"]: run for run in runs if run["cps"] == cps}
        if {"hotline", "app_queue"} <= sides.keys():
            for goal, reached in goals(sides["hotline"], sides["app_queue"]).items():
                console.print(f"{'[green]reached[/]' if reached else '[red]missed[/] '} {goal} ({cps:g} calls/s)")


def json_line(runs: Sequence[Figures]) -> str:
    return orjson.dumps({"runs": list(runs)}).decode()


def _print_doubts(console: Console, run: Figures) -> None:
    where = f"{run['system']} at {run['cps']:g} calls/s"
    if run["failures"]:
        reasons = ", ".join(f"{count} {reason}" for reason, count in run["failures"].items())
        console.print(f"[red]{where}: failed calls: {reasons}[/]")
    if lost := sum(one["failed"] for one in run["rounds"]) - run["failed"]:
        console.print(f"[red]{where}: {lost} failed calls in the rounds that are not shown[/]")
    if run["look_ups"] != run["calls"]:
        console.print(f"[red]{where}: {run['look_ups']} look-ups at the identity endpoint[/]")
    if run["packets_dropped"]:
        console.print(f"[yellow]{where}: tcpdump lost {run['packets_dropped']} packets; calls may look failed[/]")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
