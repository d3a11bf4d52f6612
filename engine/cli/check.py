"""`hotline check`: everything that a site says, before a caller finds out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import JsonOption, SiteOption, print_json
from engine.config import site as sites
from engine.config.check import Finding, Severity, error, warning
from engine.config.source import Fault, SiteError
from engine.host.state import CannotRun

if TYPE_CHECKING:
    from engine.config.site import Site


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(check)


def check(
    site: SiteOption = Path(),
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    asterisk: Annotated[bool, typer.Option(help="Have Asterisk read the .conf files, in a state of its own.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Check everything the site says: exit code 2 and file:line:column of each fault if it cannot be used."""
    loaded, findings = found(site, asterisk=asterisk)
    count = Counter(finding.severity for finding in findings)
    if as_json:
        print_json([finding.data() for finding in findings])
    else:
        for finding in findings:
            typer.secho(str(finding), fg="red" if finding.severity is Severity.ERROR else "yellow", err=True)
        _summary(site, loaded, count)
    if count[Severity.ERROR] or (strict and count[Severity.WARNING]):
        raise typer.Exit(2)


def found(folder: Path, *, asterisk: bool) -> tuple[Site | None, Sequence[Finding]]:
    """The site, unless its files cannot be read, and everything that was found."""
    from engine.config.check_site import look

    site = None
    try:
        site = sites.load(folder)
        findings = look(site)
    except SiteError as faulty:
        findings = [error(fault) for fault in faulty.faults]
    return site, [*findings, *(_of_asterisk(folder) if asterisk and (folder / "asterisk_conf").is_dir() else ())]


def _of_asterisk(folder: Path) -> Sequence[Finding]:
    from engine.host.rehearsal import rehearse

    try:
        return rehearse(folder)
    except CannotRun as why:
        return [warning(Fault("asterisk_conf", 1, 1, f"the .conf files are not checked: {why}"))]


def _summary(folder: Path, site: Site | None, count: Counter[Severity]) -> None:
    said = ", ".join(f"{count[each]} {each}{'s' if count[each] > 1 else ''}" for each in Severity if count[each])
    if site is None:
        typer.echo(f"{folder.resolve()}: {said}; it cannot be used.")
        return
    typer.echo(f"{folder.resolve()}: {said or 'no faults'}. This is version {site.version}:")
    steps = sum(len(flow.steps) for flow in site.flows.values())
    typer.echo(f"  hotline.yaml  numbers: {', '.join(site.hotline.numbers)}")
    typer.echo(f"  flows/        {', '.join(sorted(site.flows))}: {steps} steps")
    typer.echo(f"  queues.yaml   {', '.join(sorted(site.queues))}")
    typer.echo(f"  agents.yaml   agents: {len(site.agents)}")
    calendars, lists, areas = (", ".join(each) or "none" for each in (site.calendars, site.lists, site.areas))
    typer.echo(f"  and           calendars: {calendars}; lists: {lists}; areas: {areas}")
    typer.echo("`hotline test` plays the calls of dialplan/tests/.")
