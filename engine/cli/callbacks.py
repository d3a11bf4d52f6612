"""`hotline callbacks`: who wants to be called back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

from engine.cli.common import JsonOption, OwnStateOption, StateOption, asked, console, plain_table, print_json
from engine.cli.orders import ByOption, moment, who
from engine.journal.events import from_data
from engine.journal.spans import span
from engine.journal.timeline import timeline

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
    headings = ("callback", "asked", "queue", "call", "waits", "tries", "state")
    table = plain_table(*headings, whole=("callback", "call", "state"))
    now_ms = time.time_ns() // 1_000_000
    for row in rows:
        waits = span(max(0, (row["closed_ms"] or now_ms) - row["asked_ms"]))
        caller = f"{row['number']} {row['name']}".rstrip()
        tries = str(row["attempts"] or "")
        table.add_row(row["id"], moment(row["asked_ms"]), row["queue"], caller, waits, tries, _state(row, now_ms))
    console.print(table)


def _state(row: dict[str, Any], now_ms: int) -> str:
    """Where it stands: why the last try came to nothing, when the next one may be, who has closed it."""
    parts = [row["state"]]
    if row["reason"] and row["state"] in ("waiting", "failed"):
        parts.append(f"({row['reason'].replace('_', ' ')})")
    if row["state"] == "waiting" and row["next_ms"] > now_ms:
        parts.append(f"until {moment(row['next_ms'])}")
    if row["closed_by"]:
        parts.append(f"by {row['closed_by']}")
    return " ".join(parts)


@app.command()
def show(
    context: typer.Context, callback_id: CallbackArgument, state: OwnStateOption = None, as_json: JsonOption = False
) -> None:
    """What became of one."""
    row = asked(state or context.obj, f"/v1/callbacks/{quote(callback_id, safe='')}")
    if as_json:
        print_json(row)
        return
    console.print(f"{row['id']}: {row['number']}, {row['queue']}, {_state(row, time.time_ns() // 1_000_000)}")
    for line in timeline(map(from_data, row["events"]), row["names"]):
        typer.echo(str(line))


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
