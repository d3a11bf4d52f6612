"""`hotline hours`: what each calendar says, and saying otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from engine.cli.common import JsonOption, OwnStateOption, StateOption, asked, console, plain_table, print_json
from engine.cli.orders import ForOption, SayOption, moment, signed, until, warn_of

CalendarArgument = Annotated[str, typer.Argument(help="A calendar of dialplan/calendars.yaml.")]

app = typer.Typer(help="Show when the hotline is open; force it open or closed.", invoke_without_command=True)

WHY = {"hours": "outside of its hours", "holiday": "holiday", "not_in_force": "outside of its dates", "forced": ""}


@app.callback()
def hours(context: typer.Context, state: StateOption = Path("var"), as_json: JsonOption = False) -> None:
    """Show each calendar: what it is now, why, and until when."""
    context.obj = state
    if context.invoked_subcommand is not None:
        return
    answer = asked(state, "/v1/hours")
    if as_json:
        print_json(answer)
        return
    warn_of(answer)
    table = plain_table("calendar", "now", "next change", "why", whole=("calendar",))
    for row in answer["calendars"]:
        table.add_row(row["calendar"], _now(row), _changes(row), _why(row))
    console.print(table)


def _now(row: dict[str, Any]) -> str:
    return "open" if row["open"] else "closed"


def _changes(row: dict[str, Any]) -> str:
    return f"{moment(row['changes_ms'], row['zone'])} {row['zone']}" if row["changes_ms"] else ""


def _why(row: dict[str, Any]) -> str:
    order = row["order"]
    if order is None:
        return ": ".join(filter(None, (WHY.get(row["why"], row["why"]), row["name"])))
    says = f", says {order['say']}" if order["say"] else ""
    return f"forced by {order['ordered_by'] or 'somebody'}, {until(order, row['zone'])}{says}"


@app.command("open")
def open_(
    context: typer.Context,
    calendar: CalendarArgument,
    for_s: ForOption = None,
    say: SayOption = "",
    state: OwnStateOption = None,
) -> None:
    """Open, whatever the calendar says: the next caller finds somebody there."""
    _force(state or context.obj, calendar, "open", for_s, say)


@app.command()
def close(
    context: typer.Context,
    calendar: CalendarArgument,
    for_s: ForOption = None,
    say: SayOption = "",
    state: OwnStateOption = None,
) -> None:
    """Close, whatever the calendar says: the next caller finds nobody there."""
    _force(state or context.obj, calendar, "closed", for_s, say)


@app.command()
def follow(context: typer.Context, calendar: CalendarArgument, state: OwnStateOption = None) -> None:
    """Do again as the calendar says."""
    _force(state or context.obj, calendar, "follow", None, "")


def _force(state: Path, calendar: str, wanted: str, for_s: float | None, say: str) -> None:
    row = asked(state, f"/v1/hours/{quote(calendar, safe='')}", signed(for_s, state=wanted, say=say))
    order = row["order"]
    how = f", {until(order, row['zone'])}" if order else ", as its calendar says"
    typer.echo(f"{calendar} is {_now(row)}{how}.")
