"""`hotline items`: what waits beside calls, and an agent's program by hand."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import orjson
import typer

from engine.cli.common import JsonOption, OwnStateOption, StateOption, asked, console, plain_table, print_json
from engine.cli.orders import ByOption, duration, length, moment, who
from engine.journal.events import from_data
from engine.journal.spans import span
from engine.journal.timeline import timeline

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Its id, or the beginning of it.")]
TokenArgument = Annotated[str, typer.Argument(help="The offer's, as `hotline items offers` prints it.")]

app = typer.Typer(help="List the items that are no calls; add one, take one, finish one.", invoke_without_command=True)


@app.callback()
def items(
    context: typer.Context,
    queue: Annotated[str, typer.Option(help="Only those of this queue.")] = "",
    limit: Annotated[int, typer.Option(help="How many at the most.", min=1)] = 100,
    ended: Annotated[int, typer.Option(help="Among the last so many, those that have ended, too.", min=0)] = 0,
    state: StateOption = Path("var"),
    as_json: JsonOption = False,
) -> None:
    """List the items that wait or are at somebody's hand, the first added first."""
    context.obj = state
    if context.invoked_subcommand is not None:
        return
    answer = asked(state, f"/v1/items?{urlencode({'queue': queue, 'limit': limit, 'ended': ended})}")
    if as_json:
        print_json(answer)
        return
    table = plain_table("item", "type", "queue", "added", "subject", "state", whole=("item",))
    now_ms = time.time_ns() // 1_000_000
    for row in answer["items"]:
        age = span(max(0, now_ms - row["added_ms"]))
        agent = f", {row['agent']}" if row["agent"] else ""
        state_ = "at hand" if row["state"] == "talking" else row["state"]
        table.add_row(row["id"], row["type"], row["queue"], f"{age} ago", row["subject"], f"{state_}{agent}")
    for row in answer["ended"]:
        end = ", ".join(filter(None, (row["reason"].replace("_", " "), row["agent"])))
        table.add_row(row["id"], row["type"], row["queue"], moment(row["added_ms"]), row["subject"], end)
    console.print(table)
    if (more := answer["count"] - len(answer["items"])) > 0:
        typer.echo(f"{more} more; --limit shows them.")


@app.command()
def add(
    context: typer.Context,
    queue: Annotated[str, typer.Option("--queue", "-q", help="Where it waits.")],
    type_: Annotated[str, typer.Option("--type", "-t", help="What it is, such as email.")],
    subject: Annotated[str, typer.Option(help="What it is about, for people.")] = "",
    data: Annotated[str, typer.Option(help="JSON for whoever takes it; - reads it from standard input.")] = "null",
    by: ByOption = "",
    state: OwnStateOption = None,
) -> None:
    """Put an item into a queue; prints its id."""
    try:
        read = orjson.loads(sys.stdin.buffer.read() if data == "-" else data)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; write JSON, such as '{{\"mail\": 4711}}'", param_hint="--data") from None
    body = {"queue": queue, "type": type_, "subject": subject, "data": read, "by": by or who()}
    typer.echo(asked(state or context.obj, "/v1/items", body)["id"])


@app.command()
def show(
    context: typer.Context, item_id: IdArgument, state: OwnStateOption = None, as_json: JsonOption = False
) -> None:
    """Tell the story of one item, going on or ended."""
    answer = asked(state or context.obj, f"/v1/items/{_path(item_id)}")
    if as_json:
        print_json(answer)
        return
    item = answer["item"]
    console.print(answer["id"], style="bold")
    if item:
        console.print(f"{item['type']} in {item['queue']}: {item['subject']}", soft_wrap=True)
        console.print(f"data: {orjson.dumps(item['data']).decode()}", soft_wrap=True)
    for line in timeline(map(from_data, answer["events"]), answer["names"]):
        console.print(str(line), soft_wrap=True)


@app.command()
def offers(
    context: typer.Context,
    agent: Annotated[str, typer.Argument(help="Whose.")],
    wait: Annotated[float, typer.Option(parser=length, metavar="30s", help="Wait so long for one.")] = 0.0,
    state: OwnStateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what an agent is offered and has at hand. Whoever asks is there: they may be offered items."""
    path = f"/v1/agents/{_path(agent)}/offers?wait={wait:g}"
    answer = asked(state or context.obj, path, timeout_s=wait + 10.0)
    if as_json:
        print_json(answer)
        return
    if not answer["offers"] and not answer["items"]:
        typer.echo(f"{agent} is offered nothing and has nothing at hand.")
        return
    table = plain_table("offer", "type", "queue", "subject", "until", whole=("offer",))
    for row in answer["offers"]:
        at = datetime.fromtimestamp(row["until_ms"] / 1000).astimezone()
        table.add_row(row["token"], *_about(row["item"]), f"{at:%H:%M:%S}")
    for item in answer["items"]:
        table.add_row(item["id"], *_about(item), "at hand")
    console.print(table)


def _about(item: dict[str, Any]) -> tuple[str, ...]:
    return item["type"], item["queue"], item["subject"]


@app.command()
def accept(context: typer.Context, token: TokenArgument, state: OwnStateOption = None) -> None:
    """Take what is offered."""
    item = asked(state or context.obj, f"/v1/offers/{_path(token)}/accept", {})
    typer.echo(f"{item['id']} is taken; `hotline items complete {item['id']}` when it is done.")


@app.command()
def reject(context: typer.Context, token: TokenArgument, state: OwnStateOption = None) -> None:
    """Leave it to somebody else."""
    asked(state or context.obj, f"/v1/offers/{_path(token)}/reject", {})
    typer.echo("It goes to somebody else.")


@app.command()
def complete(context: typer.Context, item_id: IdArgument, state: OwnStateOption = None) -> None:
    """It is done; the agent wraps up."""
    typer.echo(f"{asked(state or context.obj, f'/v1/items/{_path(item_id)}/complete', {})['id']} is done.")


@app.command()
def defer(
    context: typer.Context,
    item_id: IdArgument,
    for_s: Annotated[float, typer.Option("--for", parser=duration, metavar="2h", help="How long, such as 2h.")],
    reason: Annotated[str, typer.Option(help="Why, for the story.")] = "later",
    state: OwnStateOption = None,
) -> None:
    """Put it off: nobody sees it until then."""
    body = {"for_s": for_s, "reason": reason}
    row = asked(state or context.obj, f"/v1/items/{_path(item_id)}/defer", body)
    typer.echo(f"{row['id']} is put off for {span(round(for_s * 1000))}.")


def _path(word: str) -> str:
    return quote(word, safe="")
