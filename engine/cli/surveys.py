"""`hotline surveys`: how it was, as callers have said."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.common import JsonOption, StateOption, asked, console, plain_table, print_json


def surveys(
    days: Annotated[float, typer.Option(help="Of the last so many days.")] = 30.0,
    state: StateOption = Path("var"),
    as_json: JsonOption = False,
) -> None:
    """Show what callers have answered, by queue and agent. What a number means is the question's to say: in the
    shipped one 1 is the best."""
    rows = asked(state, f"/v1/surveys?days={days:g}")
    if as_json:
        print_json(rows)
        return
    table = plain_table("question", "queue", "agent", "answers", "average", whole=("agent",))
    for row in rows:
        table.add_row(row["question"], row["queue"], row["agent"] or "—", str(row["answers"]), f"{row['average']:.2f}")
    console.print(table)
