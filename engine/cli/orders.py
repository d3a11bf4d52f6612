"""What the commands of operators share: how long an order counts, and who gave it."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from engine.config.units import seconds


def length(text: str | float) -> float:
    """What an option says such as 30m, in seconds; 0 is one, too."""
    try:
        return seconds(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}, 4h or 30d") from None


def duration(text: str) -> float:
    """The same, but longer than nothing."""
    if (found := length(text)) <= 0:
        raise typer.BadParameter("it counts for some time, longer than 0, such as 2h")
    return found


ForOption = Annotated[
    float | None,
    typer.Option(
        "--for", parser=duration, metavar="2h", help="How long, such as 30m, 2h, 7d; without it, until undone."
    ),
]
SayOption = Annotated[str, typer.Option("--say", help="The name of a prompt that callers hear.")]
ByOption = Annotated[str, typer.Option("--by", help="Who, such as an agent; without it, this user.")]


def signed(for_s: float | None, **order: Any) -> dict[str, Any]:
    """The body of an order, with whoever gives it."""
    return {**order, "for_s": for_s, "by": who()}


def who() -> str:
    """The user at this keyboard."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return "somebody"


def moment(ms: int, zone: str | None = None) -> str:
    """A moment as people read it, in a zone or in this machine's."""
    at = datetime.fromtimestamp(ms / 1000, ZoneInfo(zone)) if zone else datetime.fromtimestamp(ms / 1000).astimezone()
    return f"{at:%Y-%m-%d %H:%M}"


def until(order: dict[str, Any], zone: str | None = None) -> str:
    """How long an order counts."""
    return f"until {moment(order['until_ms'], zone)}" if order["until_ms"] else "until undone"


def warn_of(answer: dict[str, Any]) -> None:
    """Says it when what the engine answers may be old."""
    if answer["fault"]:
        said = (
            f"The database is away ({answer['fault']}): this is what the engine remembers, and what counts until then."
        )
        typer.secho(said, fg="yellow", err=True)
