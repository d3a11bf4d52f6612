"""`hotline reload`: another version of the site, while calls go on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from engine.cli.common import JsonOption, StateOption, fail, print_json
from engine.host.state import CannotRun, State

# Reading the site and, if a .conf file has changed, having Asterisk read it: seconds on a small machine.
RELOADS_S = 60.0
FAULTY = 422


def reload(state: StateOption = Path("var"), as_json: JsonOption = False) -> None:
    """Check the site's folder and use it from the next call on; exit code 2 and no change if it is faulty."""
    from engine.api.client import NoEngine, Refused, ask

    try:
        answer = asyncio.run(ask(State(state).api_socket, "/v1/reload", body={}, timeout_s=RELOADS_S))
    except Refused as refused:
        if refused.status != FAULTY:
            raise fail(refused) from None
        typer.secho(str(refused), fg="red", err=True)
        typer.echo("Nothing has changed.", err=True)
        raise typer.Exit(2) from None
    except (CannotRun, NoEngine) as error:
        raise fail(error) from None
    if as_json:
        print_json(answer)
    else:
        for said in answer["warnings"]:
            typer.secho(said, fg="yellow", err=True)
        same = answer["before"] == answer["version"]
        typer.echo(f"version {answer['version']}, {'as before' if same else 'in place of ' + answer['before']}")
        if answer["modules"]:
            typer.echo(f"Asterisk has reloaded {', '.join(answer['modules'])}")
        for said in answer["undone"]:
            typer.secho(f"not done: {said}", fg="red", err=True)
    if answer["undone"]:
        raise typer.Exit(1)
