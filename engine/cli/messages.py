"""`hotline messages`: those that nobody has taken yet, and why."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.common import JsonOption, StateOption, asked, console, plain_table, print_json
from engine.journal.spans import span


def messages(
    limit: Annotated[int, typer.Option(help="How many at the most.")] = 100,
    state: StateOption = Path("var"),
    as_json: JsonOption = False,
) -> None:
    """List the messages that wait for their endpoint, and why."""
    answer = asked(state, f"/v1/messages?limit={limit}")
    if as_json:
        print_json(answer)
        return
    if not answer["endpoint"]:
        typer.echo("No endpoint takes messages; name one in dialplan/hotline.yaml, `messages: {url: …}`.")
        return
    typer.echo(f"{answer['waiting']} wait for {answer['endpoint']}")
    if not answer["first"]:
        return
    table = plain_table("message", "call", "about", "to", "waits", "tries", "last fault", whole=("message", "call"))
    now_ms = time.time_ns() // 1_000_000
    for row in answer["first"]:
        waits = span(max(0, now_ms - row["queued_ms"]))
        table.add_row(
            row["id"].rpartition("-")[2], row["call"], row["event"], row["to"], waits, str(row["tries"]), row["fault"]
        )
    console.print(table)
