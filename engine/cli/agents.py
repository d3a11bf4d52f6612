"""`hotline agents`: who there is, what they do, and what to type into their phones."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from engine.cli.common import JsonOption, StateOption, asked, console, fail, print_json
from engine.config import site as sites
from engine.config.source import SiteError, nearest
from engine.host.state import CannotRun, State
from engine.host.up import read_address

app = typer.Typer(help="The agents and their phones.", invoke_without_command=True)


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
    table = Table("agent", "name", "skills", "wants", "phone", "does", "for", "call")
    now_ms = time.time() * 1000
    for row in rows:
        skills = ", ".join(f"{name} {level}" for name, level in row["skills"].items())
        wants = row["intent"] if row["intent"] == "ready" else f"{row['intent']} ({row['reason']})"
        since = f"{max(0, now_ms - row['since_ms']) / 1000:.0f} s" if row["since_ms"] else ""
        table.add_row(row["id"], row["name"], skills, wants, row["device"], row["work"], since, row["item"])
    console.print(table)


@app.command()
def credentials(
    context: typer.Context, agent: str, site: Annotated[Path | None, typer.Option(help="The site's folder.")] = None
) -> None:
    """Print what to type into an agent's phone."""
    state = State(context.obj)
    address = read_address(state)
    try:
        known = sites.load(site or Path(address.site if address else ".")).agents
    except SiteError as error:
        raise fail(error) from None
    if agent not in known:
        raise fail(CannotRun(f"no agent {agent} in dialplan/agents.yaml{nearest(agent, known)}"))
    host = address.sip_bind if address else "127.0.0.1"
    if host == "0.0.0.0":  # noqa: S104 - compared, not bound
        host = "the address of this machine"
    table = Table(show_header=False, box=None)
    table.add_row("server / registrar", host)
    table.add_row("port", f"{address.sip_port if address else 5060} (UDP)")
    table.add_row("user name", agent)
    table.add_row("password", known[agent].password or state.secret(f"phone-{agent}"))
    table.add_row("display name", known[agent].name)
    table.add_row("codecs", "G.711 A-law (PCMA), then µ-law (PCMU)")
    table.add_row("keys (DTMF)", "RFC 4733 (RFC 2833)")
    console.print(table)


@app.command()
def ready(context: typer.Context, agent: str) -> None:
    """Make an agent ready: calls may come."""
    asked(context.obj, f"/v1/agents/{agent}/intent", {"intent": "ready"})
    typer.echo(f"{agent} is ready.")


@app.command("not-ready")
def not_ready(
    context: typer.Context, agent: str, reason: Annotated[str, typer.Option(help="Such as lunch.")] = "by hand"
) -> None:
    """Make an agent not ready: no calls until `ready`; one that rings or talks goes on."""
    asked(context.obj, f"/v1/agents/{agent}/intent", {"intent": "not_ready", "reason": reason})
    typer.echo(f"{agent} is not ready ({reason}).")
