"""A finished benchmark of the ACD as a table for people and as one line for programs."""

from __future__ import annotations

import orjson
from rich.console import Console
from rich.table import Table

from bench.acd.run import Result

VERBS = {
    "enqueue": "a caller comes and waits",
    "match_agent": "an agent is done: a decision",
    "accept": "the agent accepts",
    "match_item": "a caller comes and finds an agent: a decision",
    "leave": "an agent is done and nobody waits",
}


def print_result(console: Console, result: Result) -> None:
    console.print(_load(result))
    console.print(_costs(result))
    for goal, reached in goals(result).items():
        console.print(f"{'[green]reached[/]' if reached else '[red]missed[/] '} {goal}")


def goals(result: Result) -> dict[str, bool]:
    """What the ACD is held to, and whether it was reached."""
    return {
        "5,000 complete cycles a second": result["cycles_per_s"] >= 5_000,
        "p99 of a decision below 2 ms at half of that": result["decision_ms"]["p99"] < 2,
        "a decision among 10,000 costs at most 1.5 x one among 100": result["cost_ratio"] <= 1.5,
        "at most 4 KB an agent, and 4 KB a waiting item": max(result["bytes_per_agent"], result["bytes_per_item"])
        <= 4096,
    }


def json_line(result: Result) -> str:
    return orjson.dumps(result).decode()


def _load(result: Result) -> Table:
    size = f"{result['agents']:,} agents, {result['waiting']:,} waiting, {result['requirements']} requirements"
    table = Table("", title=f"{size}, {result['clients']} clients", title_justify="left")
    table.add_column("callers wait", justify="right")
    table.add_column("agents wait", justify="right")
    sides = (result, result["idle"])
    table.add_row("cycles a second", *(f"{side['cycles_per_s']:,}" for side in sides))
    for who in ("redis", "clients"):
        table.add_row(f"CPU µs a cycle: {who}", *(str(side["cpu_us_per_cycle"][who]) for side in sides))
    table.add_row("Redis' thread, % of a core", *(str(side["redis_percent"]) for side in sides))
    table.add_row("rest of the machine, % of a core", *(str(side["others_percent"]) for side in sides))
    for mark in ("p50", "p99", "max"):
        label = f"a decision, ms, {mark}"
        table.add_row(label, *(f"{side['decision_ms'][mark]} at {side['decisions_per_s']:,}/s" for side in sides))
    table.add_row("bytes an agent / an item", f"{result['bytes_per_agent']:,} / {result['bytes_per_item']:,}", "")
    table.add_row("lines an agent stands in", str(result["lines_per_agent"]), "")
    return table


def _costs(result: Result) -> Table:
    table = Table("", title="CPU µs of Redis' a call", title_justify="left")
    for size in result["cost_us"]:
        table.add_column(f"{int(size):,} agents\nand waiting", justify="right")
    table.add_column("ratio", justify="right")
    small, large = result["cost_us"].values()
    for verb, label in VERBS.items():
        table.add_row(label, str(small[verb]), str(large[verb]), f"{large[verb] / small[verb]:.2f}")
    return table
