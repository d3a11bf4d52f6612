"""`hotline announcements`: what callers are told beside everything else, on and off."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from engine.cli.common import JsonOption, OwnStateOption, StateOption, asked, console, plain_table, print_json
from engine.cli.orders import ForOption, SayOption, signed, until, warn_of

NameArgument = Annotated[str, typer.Argument(help="An announcement that a flow has a step for.")]

app = typer.Typer(help="Show the announcements; switch one on or off.", invoke_without_command=True)


@app.callback()
def announcements(context: typer.Context, state: StateOption = Path("var"), as_json: JsonOption = False) -> None:
    """Show each announcement, whether it is on, and its words."""
    context.obj = state
    if context.invoked_subcommand is not None:
        return
    answer = asked(state, "/v1/announcements")
    if as_json:
        print_json(answer)
        return
    warn_of(answer)
    table = plain_table("announcement", "now", "words", whole=("announcement",))
    for row in answer["announcements"]:
        order = row["order"]
        by = f"on by {order['ordered_by'] or 'somebody'}, {until(order)}" if order else "off"
        table.add_row(row["announcement"], by, " / ".join(row["words"].values()))
    console.print(table)


@app.command()
def on(
    context: typer.Context,
    name: NameArgument,
    for_s: ForOption = None,
    say: SayOption = "",
    state: OwnStateOption = None,
) -> None:
    """Switch an announcement on: the next caller hears it."""
    body = signed(for_s, on=True, say=say)
    asked(state or context.obj, f"/v1/announcements/{quote(name, safe='')}", body)
    typer.echo(f"{name} is on{' and says ' + say if say else ''}.")


@app.command()
def off(context: typer.Context, name: NameArgument, state: OwnStateOption = None) -> None:
    """Switch an announcement off."""
    asked(state or context.obj, f"/v1/announcements/{quote(name, safe='')}", signed(None, on=False))
    typer.echo(f"{name} is off.")
