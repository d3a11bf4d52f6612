"""The checks of a whole site, in the order in which an admin reads its files."""

from __future__ import annotations

from collections.abc import Iterator

from engine.acd import parse
from engine.config import check_flows, check_keys, check_variables
from engine.config.check import Finding, error, warning
from engine.config.site import Site
from engine.config.source import Fault, SiteError, Source
from engine.flow.steps.queue import Queue


def look(site: Site) -> list[Finding]:
    """Every finding about a site that has been loaded; Asterisk's own word is engine/host/rehearsal.py's."""
    sources = {name: Source(site.folder / f"dialplan/flows/{name}.yaml", site.folder) for name in site.flows}
    return [
        *(warning(fault) for fault in site.warnings),
        *check_flows.look(site, sources),
        *check_keys.look(site, sources),
        *check_variables.look(site, sources),
        *_unstaffed(site, sources),
        *_tests(site),
        *_scripts(site),
    ]


def _unstaffed(site: Site, sources: dict[str, Source]) -> Iterator[Finding]:
    """Queue steps with a requirement of their own that no agent meets."""
    for name, flow in site.flows.items():
        for step, box in flow:
            if not isinstance(box, Queue) or box.require is None:
                continue
            need = parse(box.require)
            if not any(need.met_by(agent.skills, user) for user, agent in site.agents.items()):
                said = f"no agent in agents.yaml can ever meet `{box.require}`; give one the skill or ask for less"
                yield error(sources[name].fault(("steps", step, "require"), said))


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
