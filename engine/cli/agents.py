"""`hotline agents`: who there is, what they do, and what to type into their phones."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from engine.cli.common import JsonOption, OwnStateOption, StateOption, asked, console, fail, plain_table, print_json
from engine.config import site as sites
from engine.config.agents import Agent
from engine.config.source import SiteError, nearest
from engine.config.trunks import Branch
from engine.host.state import CannotRun, State
from engine.journal.timeline import span

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
    table = plain_table("agent", "name", "skills", "wants", "phone", "does", "for", "call", whole=("agent", "call"))
    now_ms = round(time.time() * 1000)
    for row in rows:
        skills = ", ".join(f"{name} {level}" for name, level in row["skills"].items())
        wants = "ready" if row["intent"] == "ready" else f"{row['intent'].replace('_', ' ')} ({row['reason']})"
        since = span(max(0, now_ms - row["since_ms"])) if row["since_ms"] else ""
        table.add_row(row["id"], row["name"], skills, wants, row["device"], row["work"], since, row["item"])
    console.print(table)


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
def ready(context: typer.Context, agent: AgentArgument, state: OwnStateOption = None) -> None:
    """Make an agent ready: calls may come."""
    asked(state or context.obj, f"/v1/agents/{agent}/intent", {"intent": "ready"})
    typer.echo(f"{agent} is ready.")


@app.command("not-ready")
def not_ready(
    context: typer.Context,
    agent: AgentArgument,
    reason: Annotated[str, typer.Option(help="Such as lunch.")] = "by hand",
    state: OwnStateOption = None,
) -> None:
    """Make an agent not ready: no calls until `ready`; one that rings or talks goes on."""
    asked(state or context.obj, f"/v1/agents/{agent}/intent", {"intent": "not_ready", "reason": reason})
    typer.echo(f"{agent} is not ready ({reason}).")
