"""`hotline callbacks`: who wants to be called back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlencode

import typer

from engine.cli.common import JsonOption, OwnStateOption, StateOption, asked, console, plain_table, print_json
from engine.cli.orders import ByOption, moment, who
from engine.journal.timeline import span

CallbackArgument = Annotated[str, typer.Argument(metavar="ID", help="Its id, or the beginning of it.")]

app = typer.Typer(help="List who wants to be called back; close what is done.", invoke_without_command=True)


@app.callback()
def callbacks(
    context: typer.Context,
    queue: Annotated[str, typer.Option(help="Only those of this queue.")] = "",
    all_: Annotated[bool, typer.Option("--all", help="Those that are closed too.")] = False,
    limit: Annotated[int, typer.Option(help="How many at the most.")] = 100,
    state: StateOption = Path("var"),
    as_json: JsonOption = False,
) -> None:
    """List who wants to be called back, the longest waiting first."""
    context.obj = state
    if context.invoked_subcommand is not None:
        return
    wanted = {"queue": queue, "limit": str(limit), **({"all": "1"} if all_ else {})}
    rows = asked(state, f"/v1/callbacks?{urlencode(wanted)}")
    if as_json:
        print_json(rows)
        return
    table = plain_table("callback", "asked", "queue", "call", "waits", "state", whole=("callback", "call"))
    now_ms = time.time_ns() // 1_000_000
    for row in rows:
        is_open = row["state"] == "open"
        waits = span(max(0, (now_ms if is_open else row["closed_ms"]) - row["asked_ms"]))
        state_ = "open" if is_open else f"{row['state']} by {row['closed_by']}"
        caller = f"{row['number']} {row['name']}".rstrip()
        table.add_row(row["id"], moment(row["asked_ms"]), row["queue"], caller, waits, state_)
    console.print(table)


@app.command()
def done(
    context: typer.Context, callback_id: CallbackArgument, by: ByOption = "", state: OwnStateOption = None
) -> None:
    """They were called."""
    _close(state or context.obj, callback_id, "done", by)


@app.command()
def cancel(
    context: typer.Context, callback_id: CallbackArgument, by: ByOption = "", state: OwnStateOption = None
) -> None:
    """They need not be called any more."""
    _close(state or context.obj, callback_id, "cancelled", by)


def _close(state: Path, callback_id: str, how: str, by: str) -> None:
    row = asked(state, f"/v1/callbacks/{quote(callback_id, safe='')}", {"state": how, "by": by or who()})
    typer.echo(f"{row['id']}: the callback to {row['number']} is {how}.")
