"""`hotline agents`: who there is, what they do, and what to type into their phones."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from engine.cli.common import JsonOption, OwnStateOption, StateOption, asked, console, fail, plain_table, print_json
from engine.cli.orders import ByOption, duration, who
from engine.config import site as sites
from engine.config.agents import Agent
from engine.config.source import SiteError, nearest
from engine.config.trunks import Branch
from engine.host.state import CannotRun, State
from engine.journal.spans import span

AgentArgument = Annotated[str, typer.Argument(help="The agent's id, which is the phone's user name.")]

app = typer.Typer(help="List the agents and their phones; make one ready or not.", invoke_without_command=True)


@app.callback()
def agents(context: typer.Context, state: StateOption = Path("var"), as_json: JsonOption = False) -> None:
    """List the agents: what they want, what their phone can, what they do."""
    context.obj = state
    if context.invoked_subcommand is not None:
        return
    rows = asked(state, "/v1/agents")
    if as_json:
        print_json(rows)
        return
    names = ("agent", "name", "skills", "wants", "phone", "does", "for", "item")
    table = plain_table(*names, whole=("agent", "item"))
    now_ms = round(time.time() * 1000)
    for row in rows:
        skills = ", ".join([*(f"{name} {level}" for name, level in row["skills"].items()), *row["queues"]])
        wants = "ready" if row["intent"] == "ready" else f"{row['intent'].replace('_', ' ')} ({row['reason']})"
        if row["since_ms"]:
            wants += f" {span(max(0, now_ms - row['since_ms']))}"
        cells = (row["id"], row["name"], skills, wants, _devices(row))
        for number, doing in enumerate(_doing(row, now_ms)):
            table.add_row(*(cells if number == 0 else ("",) * len(cells)), *doing)
    console.print(table)


def _devices(row: dict[str, Any]) -> str:
    return f"{row['device']}, program" if row["program"] else str(row["device"])


def _doing(row: dict[str, Any], now_ms: int) -> list[tuple[str, str, str]]:
    """What they have at hand, each with how long already, or how long still; a pause after a missed offer."""
    doing = []
    for hand in row["hands"]:
        wraps_up = hand["work"] == "wrapup"
        left = (
            f"{span(max(0, hand['until_ms'] - now_ms))} left" if wraps_up else span(max(0, now_ms - hand["since_ms"]))
        )
        doing.append((hand["work"], left, hand["item"]))
    if row["cool_until_ms"] > now_ms:
        doing.append(("pauses", f"{span(row['cool_until_ms'] - now_ms)} left", ""))
    if not doing:
        doing.append(("idle", span(max(0, now_ms - row["idle_since_ms"])) if row["idle_since_ms"] else "", ""))
    return doing


@app.command()
def credentials(
    context: typer.Context,
    agent: AgentArgument,
    site: Annotated[Path | None, typer.Option(help="The site's folder.")] = None,
    state: OwnStateOption = None,
) -> None:
    """Print what to type into an agent's phone, or a branch's."""
    from engine.host.up import read_address

    try:
        folder = State(state or context.obj)
        address = read_address(folder)
        found = _find(agent, site or Path(address.site if address else "."))
        password = found.password or folder.secret(f"phone-{agent}")
    except (CannotRun, SiteError) as error:
        raise fail(error) from None
    host = address.sip_bind if address else "127.0.0.1"
    if host == "0.0.0.0":  # noqa: S104 - compared, not bound
        host = "the address of this machine"
    table = Table(show_header=False, box=None)
    table.add_row("server / registrar", host)
    table.add_row("port", f"{address.sip_port if address else 5060} (UDP)")
    table.add_row("user name", agent)
    table.add_row("password", password)
    table.add_row("display name", found.name)
    table.add_row("codecs", "G.711 A-law (PCMA), then µ-law (PCMU)")
    table.add_row("keys (DTMF)", "RFC 4733 (RFC 2833)")
    console.print(table)


def _find(agent: str, site: Path) -> Agent | Branch:
    known = sites.load(site).phones()
    if agent not in known:
        raise CannotRun(f"no agent or branch {agent} with a phone of its own{nearest(agent, known)}")
    return known[agent]


@app.command()
def ready(context: typer.Context, agent: AgentArgument, by: ByOption = "", state: OwnStateOption = None) -> None:
    """Make an agent ready: calls may come."""
    body = {"intent": "ready", "by": by or who()}
    asked(state or context.obj, f"/v1/agents/{quote(agent, safe='')}/intent", body)
    typer.echo(f"{agent} is ready.")


@app.command("not-ready")
def not_ready(
    context: typer.Context,
    agent: AgentArgument,
    reason: Annotated[str, typer.Option(help="Such as lunch.")] = "by hand",
    by: ByOption = "",
    state: OwnStateOption = None,
) -> None:
    """Make an agent not ready: no calls until `ready`; one that rings or talks goes on."""
    body = {"intent": "not_ready", "reason": reason, "by": by or who()}
    asked(state or context.obj, f"/v1/agents/{quote(agent, safe='')}/intent", body)
    typer.echo(f"{agent} is not ready ({reason}).")


QueueArgument = Annotated[str, typer.Argument(help="The queue's name.")]


@app.command()
def join(
    context: typer.Context, agent: AgentArgument, queue: QueueArgument, by: ByOption = "", state: OwnStateOption = None
) -> None:
    """Let an agent serve a queue from now on, until they leave it."""
    asked(state or context.obj, f"/v1/agents/{quote(agent, safe='')}/join", {"queue": queue, "by": by or who()})
    typer.echo(f"{agent} serves {queue}.")


@app.command()
def leave(
    context: typer.Context, agent: AgentArgument, queue: QueueArgument, by: ByOption = "", state: OwnStateOption = None
) -> None:
    """Let an agent serve a queue no more; what they have at hand they finish."""
    asked(state or context.obj, f"/v1/agents/{quote(agent, safe='')}/leave", {"queue": queue, "by": by or who()})
    typer.echo(f"{agent} does not serve {queue}.")


@app.command()
def wrapup(
    context: typer.Context,
    agent: AgentArgument,
    extend: Annotated[
        float | None, typer.Option(parser=duration, metavar="60s", help="So much longer than it would last.")
    ] = None,
    skip: Annotated[bool, typer.Option("--skip", help="It is over: calls may come.")] = False,
    by: ByOption = "",
    state: OwnStateOption = None,
) -> None:
    """Make an agent's wrap-up longer, or end it."""
    if (extend is None) != skip:
        raise typer.BadParameter("say either --extend 60s or --skip")
    body = {"skip": True} if skip else {"extend_s": extend}
    answer = asked(state or context.obj, f"/v1/agents/{quote(agent, safe='')}/wrapup", {**body, "by": by or who()})
    typer.echo(f"{agent} wraps up for {span(answer['left_ms'])} more." if extend else f"{agent}'s wrap-up is over.")
