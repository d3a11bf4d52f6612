"""What the commands share: their options, and how a fault is told to a person."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
import typer
from rich import box
from rich.console import Console
from rich.table import Column, Table

from engine.config.source import SiteError
from engine.host.state import CannotRun, State

T = TypeVar("T")

# A pipe or a file is as wide as the table: nothing is folded that a program, or a person later, has to read.
WIDE = 500
_on_terminal = sys.stdout.isatty() or "COLUMNS" in os.environ
console = Console(highlight=False, markup=False, width=None if _on_terminal else WIDE)

SiteOption = Annotated[Path, typer.Option("--site", envvar="HOTLINE_SITE", help="The site's folder.")]
StateOption = Annotated[
    Path, typer.Option("--state", envvar="HOTLINE_STATE", help="Where sockets, database, secrets and logs are.")
]
# The same for commands below a command: the option may stand at either.
OwnStateOption = Annotated[Path | None, typer.Option("--state", help="Where sockets, database, secrets and logs are.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def faults() -> tuple[type[Exception], ...]:
    """What is said to a person in one sentence. Asked for when something has gone wrong, so that a command that needs
    neither database nor network does not wait for their libraries."""
    from engine.acd import RequirementError
    from engine.api.client import NoEngine, Refused
    from engine.asterisk.ari import AriError
    from engine.redis_line import BadRedisUrl, LineDown
    from engine.store.url import BadDatabase

    return (CannotRun, SiteError, NoEngine, Refused, BadDatabase, BadRedisUrl, LineDown, AriError, RequirementError)


def fail(error: Exception) -> typer.Exit:
    """Says what is wrong, in the error's own sentence, and gives the exit to raise."""
    typer.secho(str(error), fg="red", err=True)
    return typer.Exit(2 if isinstance(error, SiteError) else 1)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command's coroutine; known faults become one sentence and an exit code."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except Exception as error:
        if isinstance(error, faults()):
            raise fail(error) from None
        raise


def asked(state: Path, path: str, body: Any = None, *, timeout_s: float = 10.0) -> Any:
    """The running engine's answer."""
    from engine.api.client import ask

    try:
        socket = State(state).api_socket
    except CannotRun as error:
        raise fail(error) from None
    return run(ask(socket, path, body=body, timeout_s=timeout_s))


def plain_table(*names: str, whole: Sequence[str] = (), least: Mapping[str, int] | None = None) -> Table:
    """A table that fits 80 columns: on a narrow terminal cells are folded, never cut, and those of the columns in
    `whole` not even folded, since their ids are there to be typed. `least`: the narrowest that a column may get."""
    narrowest = least or {}
    columns = (Column(name, no_wrap=name in whole, overflow="fold", min_width=narrowest.get(name)) for name in names)
    return Table(*columns, box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))


def print_json(data: Any) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(orjson.dumps(data).decode() + "\n")
