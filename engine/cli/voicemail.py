"""`hotline voicemail`: what callers have said when nobody answered."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer
from rich.table import Table

from engine.cli.common import JsonOption, OwnStateOption, StateOption, asked, console, fail, plain_table, print_json
from engine.cli.orders import ByOption, moment, who
from engine.host.state import CannotRun
from engine.journal.spans import span

VoicemailArgument = Annotated[str, typer.Argument(metavar="ID", help="Its id, or the beginning of it.")]

app = typer.Typer(help="List voicemails, hear them, delete them.", invoke_without_command=True)


@app.callback()
def voicemail(
    context: typer.Context,
    box: Annotated[str, typer.Option(help="Only those of this box.")] = "",
    unheard: Annotated[bool, typer.Option("--new", help="Only those that nobody has heard.")] = False,
    limit: Annotated[int, typer.Option(help="How many at the most.")] = 100,
    state: StateOption = Path("var"),
    as_json: JsonOption = False,
) -> None:
    """List voicemails, the latest first."""
    context.obj = state
    if context.invoked_subcommand is not None:
        return
    wanted = {"box": box, "limit": str(limit), **({"unheard": "1"} if unheard else {})}
    rows = asked(state, f"/v1/voicemails?{urlencode(wanted)}")
    if as_json:
        print_json(rows)
        return
    table = plain_table("voicemail", "left", "box", "caller", "length", "heard", whole=("voicemail",))
    for row in rows:
        length = span(row["length_ms"])
        table.add_row(row["id"], moment(row["left_ms"]), row["box"], _caller(row), length, _heard(row))
    console.print(table)


@app.command()
def show(
    context: typer.Context, voicemail_id: VoicemailArgument, state: OwnStateOption = None, as_json: JsonOption = False
) -> None:
    """Say everything about a voicemail."""
    row = _one(state or context.obj, voicemail_id)
    if as_json:
        print_json(row)
        return
    table = Table(show_header=False, box=None)
    table.add_row("voicemail", row["id"])
    table.add_row("call", f"{row['call_id']}  (hotline call {row['call_id']})")
    table.add_row("box", row["box"])
    table.add_row("caller", _caller(row))
    table.add_row("left", f"{moment(row['left_ms'])}, {span(row['length_ms'])}")
    table.add_row("heard", _heard(row) or "not yet")
    table.add_row("recording", row["file"])
    console.print(table, soft_wrap=True)


@app.command()
def play(
    context: typer.Context,
    voicemail_id: VoicemailArgument,
    to: Annotated[Path | None, typer.Option("--to", help="Copy it to this file or folder.")] = None,
    state: OwnStateOption = None,
) -> None:
    """Print where the recording of a voicemail is, for a program that plays it; or copy it out."""
    file = Path(_one(state or context.obj, voicemail_id)["file"])
    if not file.is_file():
        raise fail(CannotRun(f"{file} is gone; `hotline voicemail delete {voicemail_id}` forgets the voicemail"))
    if to is None:
        typer.echo(str(file))
        return
    try:
        typer.echo(str(shutil.copy(file, to)))
    except OSError as error:
        raise fail(CannotRun(f"cannot copy to {to}: {error.strerror}; name another file or folder")) from None


@app.command()
def heard(
    context: typer.Context, voicemail_id: VoicemailArgument, by: ByOption = "", state: OwnStateOption = None
) -> None:
    """Note that somebody has listened to a voicemail."""
    row = _tell(state or context.obj, voicemail_id, "heard", by)
    typer.echo(f"{row['id']} is heard.")


@app.command()
def delete(
    context: typer.Context, voicemail_id: VoicemailArgument, by: ByOption = "", state: OwnStateOption = None
) -> None:
    """Delete a voicemail and its recording."""
    row = _tell(state or context.obj, voicemail_id, "delete", by)
    typer.echo(f"{row['id']} is deleted.")


def _one(state: Path, voicemail_id: str) -> dict[str, Any]:
    row: dict[str, Any] = asked(state, f"/v1/voicemails/{quote(voicemail_id, safe='')}")
    return row


def _tell(state: Path, voicemail_id: str, what: str, by: str) -> Any:
    return asked(state, f"/v1/voicemails/{quote(voicemail_id, safe='')}/{what}", {"by": by or who()})


def _caller(row: dict[str, Any]) -> str:
    return f"{row['number'] or 'anonymous'} {row.get('name', '')}".rstrip()


def _heard(row: dict[str, Any]) -> str:
    return f"{moment(row['heard_ms'])} by {row['heard_by']}" if row["heard_ms"] else ""
