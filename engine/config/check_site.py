"""The checks of a whole site, in the order in which an admin reads its files."""

from __future__ import annotations

from collections.abc import Iterator

from engine.config import check_flows, check_keys, check_queues, check_variables
from engine.config.check import Finding, error, warning
from engine.config.site import Site
from engine.config.source import Fault, SiteError, Source


def look(site: Site) -> list[Finding]:
    """Every finding about a site that has been loaded; Asterisk's own word is engine/host/rehearsal.py's."""
    sources = {name: Source(site.folder / f"dialplan/flows/{name}.yaml", site.folder) for name in site.flows}
    return [
        *(warning(fault) for fault in site.warnings),
        *check_flows.look(site, sources),
        *check_keys.look(site, sources),
        *check_variables.look(site, sources),
        *check_queues.look(site, sources),
        *_tests(site),
        *_scripts(site),
    ]


def _tests(site: Site) -> Iterator[Finding]:
    """dialplan/tests/*.yaml that `hotline test` could not read."""
    if not (site.folder / "dialplan/tests").is_dir():
        return
    # Only where there are tests: the simulator is not small.
    from engine.simulator.trials import read_trials

    try:
        read_trials(site)
    except SiteError as faulty:
        yield from (error(fault) for fault in faulty.faults)


def _scripts(site: Site) -> Iterator[Finding]:
    """AGI scripts that are no Python: their own calls would fail."""
    for path in sorted((site.folder / "agi_scripts").glob("*.py")):
        try:
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as fault:
            line, column = (fault.lineno or 1, fault.offset or 1) if isinstance(fault, SyntaxError) else (1, 1)
            said = f"is no Python: {fault.msg if isinstance(fault, SyntaxError) else fault}; its calls would fail"
            yield warning(Fault(f"agi_scripts/{path.name}", line, column, said))
