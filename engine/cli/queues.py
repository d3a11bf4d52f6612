"""`hotline queues`: who waits. `hotline queue`: a supervisor's hand on one of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from engine.cli.common import JsonOption, StateOption, asked, console, plain_table, print_json
from engine.cli.orders import ByOption, length, who
from engine.journal.spans import span

ItemArgument = Annotated[
    str, typer.Argument(metavar="ITEM", help="A call's id or an item's, or the beginning of it.", show_default=False)
]

app = typer.Typer(help="Give a waiting call or item to an agent; move it, put it first, take it out.")


def queues(
    queue: Annotated[str, typer.Argument(help="Only this one, and who waits in it.")] = "",
    limit: Annotated[int, typer.Option(help="How many of those who wait.", min=1)] = 100,
    accuracy: Annotated[
        bool, typer.Option("--accuracy", help="How good the waits were that callers were told.")
    ] = False,
    state: StateOption = Path("var"),
    as_json: JsonOption = False,
) -> None:
    """List the queues: who waits, for how long, and who could answer. With the name of one: its line."""
    if accuracy:
        _accuracy(queue, state, as_json)
        return
    if queue:
        _line(queue, limit, state, as_json)
        return
    rows = asked(state, "/v1/queues")
    if as_json:
        print_json(rows)
        return
    table = plain_table("queue", "requires", "waiting", "longest wait", "agents ready", whole=("queue",))
    for row in rows:
        longest = span(row["oldest_wait_ms"]) if row["waiting"] else ""
        table.add_row(row["queue"], row["requirement"], str(row["waiting"]), longest, str(row["ready"]))
    console.print(table)


def _accuracy(queue: str, state: Path, as_json: bool) -> None:
    rows = [row for row in asked(state, "/v1/accuracy") if queue in ("", row["queue"])]
    if as_json:
        print_json(rows)
        return
    if not rows:
        typer.echo(
            "Nobody who was told how long it takes has been answered yet; "
            f"`announce: {{wait: true}}` in dialplan/queues.yaml tells callers{f' of {queue}' if queue else ''}."
        )
        return
    table = plain_table("queue", "told", "came true", "took", "error", "bias", whole=("queue",))
    for row in rows:
        bias = f"{'-' if row['bias_ms'] < 0 else '+'}{span(abs(row['bias_ms']))}"
        came_true = f"{row['within'] / row['told']:.0%}"
        table.add_row(row["queue"], str(row["told"]), came_true, span(row["took_ms"]), span(row["error_ms"]), bias)
    console.print(table)


def _line(queue: str, limit: int, state: Path, as_json: bool) -> None:
    answer = asked(state, f"/v1/queues/{quote(queue, safe='')}/waiting?limit={limit}")
    if as_json:
        print_json(answer)
        return
    if not answer["line"] and not answer["others"]:
        typer.echo(f"Nobody waits in {queue}.")
        return
    table = plain_table("place", "item", "type", "waits", "offers", "who, what", "now", whole=("item",))
    now_ms = time.time_ns() // 1_000_000
    for place, row in enumerate(answer["line"], 1):
        table.add_row(str(place), *_columns(row, now_ms), "waits")
    for row in answer["others"]:
        now = f"offered to {', '.join(row['agents'])}" if row["state"] == "offered" else "put off"
        table.add_row("", *_columns(row, now_ms), now)
    console.print(table)


def _columns(row: dict[str, Any], now_ms: int) -> tuple[str, ...]:
    waits = span(max(0, now_ms - row["since_ms"]))
    return row["id"], row["type"], waits, str(row["offers"] or ""), row["about"]


@app.command()
def assign(
    item: ItemArgument,
    agent: Annotated[str, typer.Argument(help="Who is to have it, whatever the queue requires.")],
    by: ByOption = "",
    state: StateOption = Path("var"),
) -> None:
    """Offer it to this agent now; whoever else it rings for stops ringing."""
    row = _told(state, item, "assign", by, agent=agent)
    typer.echo(f"{row['id']} is offered to {row['agent']}.")


@app.command()
def move(
    item: ItemArgument,
    queue: Annotated[str, typer.Argument(help="Where to; the time that it has waited counts there.")],
    by: ByOption = "",
    state: StateOption = Path("var"),
) -> None:
    """Move it to another queue."""
    row = _told(state, item, "move", by, queue=queue)
    typer.echo(f"{row['id']} goes to {row['queue']}.")


@app.command()
def priority(
    item: ItemArgument,
    head_start: Annotated[
        float, typer.Option(parser=length, metavar="5m", help="Counts as having waited so much longer.")
    ] = 0.0,
    strict: Annotated[int, typer.Option(min=0, max=9, help="Goes before everybody of a lower level.")] = 0,
    by: ByOption = "",
    state: StateOption = Path("var"),
) -> None:
    """Put it before or behind others: in place of the priority that it came with."""
    row = _told(state, item, "priority", by, head_start_s=head_start, strict=strict)
    level = f", strictly before others (level {row['strict']})" if row["strict"] else ""
    typer.echo(f"{row['id']} counts as having waited {span(round(row['head_start_s'] * 1000))} more{level}.")


@app.command()
def withdraw(
    item: ItemArgument,
    reason: Annotated[str, typer.Option(help="Why; it is in the story of the call.")] = "withdrawn",
    by: ByOption = "",
    state: StateOption = Path("var"),
) -> None:
    """Take it out: an item ends, a caller goes on where the flow says."""
    row = _told(state, item, "withdraw", by, reason=reason)
    typer.echo(f"{row['id']} is taken out ({row['reason']}).")


def _told(state: Path, item: str, verb: str, by: str, **said: Any) -> Any:
    return asked(state, f"/v1/items/{quote(item, safe='')}/{verb}", {**said, "by": by or who()})
