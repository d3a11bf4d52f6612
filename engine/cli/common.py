"""What the commands share: their options, and how a fault is told to a person."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
import typer
from rich.console import Console

from engine.acd import RequirementError
from engine.api.client import NoEngine, Refused, ask
from engine.asterisk.ari import AriError
from engine.config.source import SiteError
from engine.host.state import CannotRun, State
from engine.redis_line import LineDown
from engine.store.url import BadDatabase

T = TypeVar("T")

console = Console(highlight=False)

SiteOption = Annotated[Path, typer.Option("--site", envvar="HOTLINE_SITE", help="The site's folder.")]
StateOption = Annotated[
    Path, typer.Option("--state", envvar="HOTLINE_STATE", help="Where sockets, database, secrets and logs are.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]

FAULTS = (CannotRun, SiteError, NoEngine, Refused, BadDatabase, LineDown, AriError, RequirementError)


def fail(error: Exception) -> typer.Exit:
    """Says what is wrong, in the error's own sentence, and gives the exit to raise."""
    typer.secho(str(error), fg="red", err=True)
    return typer.Exit(2 if isinstance(error, SiteError) else 1)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command's coroutine; known faults become one sentence and an exit code."""
    try:
        return asyncio.run(work)
    except FAULTS as error:
        raise fail(error) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def asked(state: Path, path: str, body: Any = None) -> Any:
    """The running engine's answer."""
    return run(ask(State(state).api_socket, path, body=body))


def print_json(data: Any) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(orjson.dumps(data).decode() + "\n")
