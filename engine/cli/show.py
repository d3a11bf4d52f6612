"""The commands that look at a hotline: status, calls, call."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from engine.cli.common import JsonOption, StateOption, asked, console, plain_table, print_json
from engine.journal.events import from_data
from engine.journal.spans import span
from engine.journal.timeline import timeline


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(status)
    app.command()(calls)
    app.command()(call)


def status(state: StateOption = Path("var"), as_json: JsonOption = False) -> None:
    """Say whether the hotline runs and what it is connected to."""
    answer = asked(state, "/v1/status")
    if as_json:
        print_json(answer)
        return
    asterisk = answer["asterisk"]
    table = Table(show_header=False, box=None)
    table.add_row("engine", f"{'ready' if answer['ready'] else 'not ready'}, version {answer['version']}")
    table.add_row("numbers", ", ".join(answer["numbers"]))
    since = datetime.fromtimestamp(answer["config_since_ms"] / 1000).astimezone().strftime("%m-%d %H:%M:%S")
    former = answer["calls_on_former_versions"]
    others = f"; {former} call{'s' if former > 1 else ''} on a former one" if former else ""
    table.add_row("configuration", f"{answer['config_version']} since {since}{others}")
    way = "REST over WebSocket" if asterisk["rest_over_websocket"] else "REST over HTTP"
    table.add_row(
        "asterisk", f"{asterisk['version']}, {'connected' if asterisk['connected'] else 'NOT CONNECTED'} ({way})"
    )
    if answer["orders_fault"]:
        table.add_row("standing orders", f"AS REMEMBERED: the database is away ({answer['orders_fault']})")
    table.add_row("calls now", str(answer["calls"]))
    table.add_row("event loop late", f"p50 {answer['loop_lag_ms_p50']} ms, p99 {answer['loop_lag_ms_p99']} ms")
    console.print(table)


def calls(
    state: StateOption = Path("var"),
    limit: Annotated[int, typer.Option(help="How many that have ended.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the calls there are and the last that ended."""
    answer = asked(state, f"/v1/calls?limit={limit}")
    if as_json:
        print_json(answer)
        return
    names = ("call", "arrived", "caller", "queue, who", "waited", "talked", "end")
    table = plain_table(*names, whole=("call",), least={"caller": len("+8613800138000")})
    now_ms = round(time.time() * 1000)
    for row in answer["active"]:
        waited = (row["connected_ms"] or now_ms) - row["queued_ms"] if row["queued_ms"] else 0
        talked = now_ms - row["connected_ms"] if row["connected_ms"] else 0
        table.add_row(*_columns(row), span(waited), span(talked), f"… {row['phase']}", style="bold")
    for row in answer["ended"]:
        table.add_row(*_columns(row), span(row["wait_ms"]), span(row["talk_ms"]), _words(row["end_reason"]))
    console.print(table)


def _columns(row: dict[str, Any]) -> tuple[str, ...]:
    arrived = datetime.fromtimestamp(row["arrived_ms"] / 1000).astimezone().strftime("%m-%d %H:%M:%S")
    number = row["number"] or row["presentation"]
    caller = f"{number} {row['customer_name']}".rstrip()
    return row["id"], arrived, caller, ", ".join(filter(None, (row["queue"], row["agent"], row["outside"])))


def _words(code: str) -> str:
    return code.replace("_", " ")


def call(
    call_id: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")],
    state: StateOption = Path("var"),
    as_json: JsonOption = False,
) -> None:
    """Tell the story of one call: what the caller heard, what was decided, and why."""
    answer = asked(state, f"/v1/calls/{call_id}")
    if as_json:
        print_json(answer)
        return
    row = answer["call"]
    console.print(f"{row['id']}  {row['number'] or row['presentation']} → {row['dialled']}", style="bold")
    for line in timeline(map(from_data, answer["events"]), answer["names"]):
        console.print(str(line), soft_wrap=True)
    if not answer["active"]:
        console.print(
            f"waited {span(row['wait_ms'])}, rang {span(row['ring_ms'])}, talked {span(row['talk_ms'])}, "
            f"{row['offers']} offer(s), agent {row['agent'] or '—'}"
            f"{', outside ' + row['outside'] if row['outside'] else ''}, end: {row['end_reason']}",
            soft_wrap=True,
        )
