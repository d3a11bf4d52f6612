"""`hotline simulate` and `hotline test`: calls without a telephone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from engine.cli.common import JsonOption, SiteOption, fail, print_json
from engine.config import site as sites
from engine.config.source import SiteError
from engine.host.state import CannotRun

if TYPE_CHECKING:
    from engine.simulator.call import Calls
    from engine.simulator.story import Line, Story


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(simulate)
    app.command("test")(test)


def simulate(
    caller: Annotated[str, typer.Option("--from", help="The caller's number as a carrier sends it, or anonymous.")],
    number: Annotated[str, typer.Option("--to", help="The number that they dial; without it, the site's first.")] = "",
    at: Annotated[str, typer.Option(help="When: '2026-10-01 03:00', in the site's time zone. Without it, now.")] = "",
    keys: Annotated[
        str | None,
        typer.Option(help="What the caller does: '1,wait 3,2#', silence, hangup. Without it, you are asked."),
    ] = None,
    identity: Annotated[Path | None, typer.Option(help="A JSON file with the identity endpoint's answer.")] = None,
    http: Annotated[Path | None, typer.Option(help="A JSON file with other endpoints' answers by address.")] = None,
    language: Annotated[str, typer.Option(help="zh-CN or en, in place of the number's.")] = "",
    trunk: Annotated[str, typer.Option(help="Which trunk the call comes by; without it, the first.")] = "",
    queue: Annotated[str, typer.Option(help="How a wait in a queue ends: served or timed_out.")] = "",
    agent: Annotated[str, typer.Option(help="How a call to one agent ends: served, busy, absent, no_answer …")] = "",
    outside: Annotated[str, typer.Option(help="How a call to a number ends: served, busy, no_answer …")] = "",
    closed: Annotated[list[str] | None, typer.Option(help="A calendar that an operator has closed.")] = None,
    opened: Annotated[list[str] | None, typer.Option("--open", help="… has opened.")] = None,
    on: Annotated[list[str] | None, typer.Option(help="An announcement that is on.")] = None,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Play a call without a telephone: what the caller hears, where they end, and why."""
    from engine.simulator.answers import BadAnswers, read_answers
    from engine.simulator.call import Dialled, NotOurs
    from engine.simulator.call import simulate as play
    from engine.simulator.keys import BadKeys
    from engine.simulator.ordered import BadOrders, Ordered

    try:
        loaded = sites.load(site, unspoken=True)
        ends = {"queue": queue, "agent": agent, "number": outside}
        hours = dict.fromkeys(closed or (), "closed") | dict.fromkeys(opened or (), "open")
        dialled = Dialled(
            number=number or next(iter(loaded.hotline.numbers)),
            caller=caller,
            at=moment(at, zone_of(loaded)),
            language=_language(language),
            trunk=trunk,
            identity=read_answers(identity) if identity else None,
            http=read_answers(http) if http else {},
            after={kind: outcome for kind, outcome in ends.items() if outcome},
            orders=Ordered(hours=hours, announcements=on or []).standing(loaded),
        )
        story = play(loaded, dialled, _caller(keys), (lambda _: None) if as_json else _print)
    except (SiteError, BadAnswers, BadKeys, BadOrders, NotOurs, CannotRun) as error:
        raise fail(error) from None
    if as_json:
        print_json(story.data())
    else:
        _print_end(story)


def _caller(keys: str | None) -> Calls:
    from engine.simulator.caller import Person, Script
    from engine.simulator.keys import HOW, read_keys

    if keys is not None:
        return Script(read_keys(keys))
    typer.echo(f"You are the caller: {HOW}.")
    return Person(_ask, lambda words: typer.secho(words, fg="red", err=True))


def _ask() -> str | None:
    try:
        return input("> ")
    except EOFError:
        return None


def _print(line: Line) -> None:
    typer.echo(str(line))


def _print_end(story: Story) -> None:
    end = story.end
    typer.secho(f"ends: {end} ({end.why})" if end.why else f"ends: {end}", bold=True)
    if story.unused:
        typer.secho(f"The hotline never asked for: {story.unused}", fg="yellow", err=True)


def zone_of(site: sites.Site) -> ZoneInfo:
    """The time zone in which an admin means a time: the first calendar's."""
    return next((calendar.zone for calendar in site.calendars.values()), ZoneInfo("Asia/Shanghai"))


def moment(text: str, zone: ZoneInfo) -> datetime:
    """A time as it is typed; now, if it is not. Raises CannotRun."""
    if not text:
        return datetime.now(zone)
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise CannotRun(f"--at {text!r} is no time; write '2026-10-01 03:00'") from None
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _language(text: str) -> str:
    from engine.sounds import LANGUAGES

    if text and text not in LANGUAGES:
        raise CannotRun(f"--language {text!r} is spoken by nobody here; there are {' and '.join(LANGUAGES)}")
    return text


def test(
    names: Annotated[list[str] | None, typer.Argument(help="Only the tests whose names hold one of these.")] = None,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Play the calls of dialplan/tests/*.yaml, and say where one went otherwise than expected."""
    from engine.simulator.trials import play_all, read_trials

    try:
        loaded = sites.load(site, unspoken=True)
        trials = read_trials(loaded)
    except SiteError as error:
        raise fail(error) from None
    chosen = [t for t in trials if not names or any(part.lower() in t.name.lower() for part in names)]
    if not chosen:
        there = f"{len(trials)} tests, none with {' or '.join(names)} in its name" if names else "no tests"
        raise fail(CannotRun(f"there are {there} in dialplan/tests/*.yaml; docs/flows.md says how to write one"))
    verdicts = play_all(loaded, chosen)
    failed = [verdict for verdict in verdicts if verdict.differences]
    if as_json:
        print_json([verdict.data() for verdict in verdicts])
    else:
        for verdict in verdicts:
            _print_verdict(verdict)
        typer.echo(f"{len(verdicts) - len(failed)} passed, {len(failed)} failed")
    if failed:
        raise typer.Exit(1)


def _print_verdict(verdict: Any) -> None:
    if not verdict.differences:
        typer.secho(f"ok    {verdict.trial.name}", fg="green")
        return
    typer.secho(f"WRONG {verdict.trial.name} ({verdict.trial.place})", fg="red")
    for difference in verdict.differences:
        typer.echo(f"      {difference}")
