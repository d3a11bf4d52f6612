"""`hotline lists`: who is on which list, and putting them there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from engine.cli.common import JsonOption, OwnStateOption, StateOption, asked, console, plain_table, print_json
from engine.cli.orders import ForOption, moment, signed, until, warn_of

ListArgument = Annotated[str, typer.Argument(metavar="LIST", help="A list of dialplan/lists.yaml.")]
NumberArgument = Annotated[
    str, typer.Argument(help="A caller's number, or the beginning of many with its country: +86170*")
]
OwnJsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

app = typer.Typer(help="Show the lists of callers; add and remove numbers.", invoke_without_command=True)


@app.callback()
def lists(context: typer.Context, state: StateOption = Path("var"), as_json: JsonOption = False) -> None:
    """Show the lists, and how many are on each."""
    context.obj = state
    if context.invoked_subcommand is not None:
        return
    answer = asked(state, "/v1/lists")
    if as_json:
        print_json(answer)
        return
    warn_of(answer)
    table = plain_table("list", "tier", "in lists.yaml", "added", whole=("list",))
    for row in answer["lists"]:
        table.add_row(row["list"], row["tier"], str(row["written"]), str(row["added"]))
    console.print(table)


@app.command()
def show(
    context: typer.Context, name: ListArgument, state: OwnStateOption = None, as_json: OwnJsonOption = False
) -> None:
    """Show who is on a list, why, since when and until when."""
    answer = asked(state or context.obj, f"/v1/lists/{quote(name, safe='')}")
    if as_json:
        print_json(answer)
        return
    warn_of(answer)
    table = plain_table("number", "reason", "until", "added by", "on", whole=("number",))
    for row in answer["entries"]:
        ends = moment(row["until_ms"]) if row["until_ms"] else ""
        since = moment(row["ordered_ms"]) if row["ordered_ms"] else ""
        table.add_row(row["number"], row["reason"], ends, row["ordered_by"], since)
    console.print(table)


@app.command()
def add(
    context: typer.Context,
    name: ListArgument,
    number: NumberArgument,
    reason: Annotated[str, typer.Option(help="Why, for whoever asks later.")] = "",
    for_s: ForOption = None,
    state: OwnStateOption = None,
) -> None:
    """Put a number on a list: it counts from its next call on."""
    entry = _ask(state or context.obj, name, "", signed(for_s, number=number, reason=reason))
    typer.echo(f"{entry['number']} is on the list {name}, {until(entry)}.")


@app.command()
def remove(context: typer.Context, name: ListArgument, number: NumberArgument, state: OwnStateOption = None) -> None:
    """Take a number off a list."""
    entry = _ask(state or context.obj, name, "/remove", signed(None, number=number))
    typer.echo(f"{entry['number']} is not on the list {name} any more.")


def _ask(state: Path, name: str, what: str, body: dict[str, Any]) -> Any:
    return asked(state, f"/v1/lists/{quote(name, safe='')}{what}", body)
