"""Who can be reached beside the queues: trunks, branches, and what the flows say of them."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from engine.config.agents import Agent
from engine.config.dialling import NotAllowed, ways_out
from engine.config.models import HotlineFile
from engine.config.queues import Queue
from engine.config.source import Fault, Source, nearest
from engine.config.trunks import carriers
from engine.flow.flow import Flow
from engine.flow.steps.extension import KEYED, Extension
from engine.flow.steps.number import Number


def of_hotline(source: Source, hotline: HotlineFile, agents: Container[str], folder: Path) -> Iterator[Fault]:
    """Trunks that no file of sip_trunks/ defines, and branches that nobody could reach."""
    defined = carriers(folder)
    for trunk in hotline.trunks:
        if trunk not in defined:
            message = f"no section [{trunk}] in sip_trunks/*.conf{nearest(trunk, defined)}"
            yield source.fault(("trunks", trunk), message)
    for extension, branch in hotline.branches.items():
        if extension in agents:
            message = f"`{extension}` is an agent's already (dialplan/agents.yaml); give the branch another number"
            yield source.fault(("branches", extension), message)
        if branch.number is not None:
            yield from _number(source, ("branches", extension, "number"), hotline, branch.number)


def of_agents(source: Source, hotline: HotlineFile, agents: Mapping[str, Agent]) -> Iterator[Fault]:
    """Outside phones that no trunk leads to."""
    for user, agent in agents.items():
        if agent.number is not None:
            yield from _number(source, ("agents", user, "number"), hotline, agent.number)


def of_queues(source: Source, hotline: HotlineFile, queues: Mapping[str, Queue]) -> Iterator[Fault]:
    """Callbacks that no trunk may carry."""
    leading_out = [name for name, trunk in hotline.trunks.items() if trunk.outbound]
    for name, queue in queues.items():
        if queue.callbacks is None:
            continue
        trunk = queue.callbacks.trunk
        if trunk is not None and trunk not in leading_out:
            said = f"trunk `{trunk}` has no `outbound` in dialplan/hotline.yaml{nearest(trunk, leading_out)}"
            yield source.fault(("queues", name, "callbacks", "trunk"), said)
        elif not leading_out:
            said = "nobody can be called back: no trunk has `outbound` in dialplan/hotline.yaml (docs/trunks.md)"
            yield source.fault(("queues", name, "callbacks"), said)


def of_flows(
    sources: Mapping[str, Source], flows: Mapping[str, Flow], hotline: HotlineFile, agents: Mapping[str, object]
) -> Iterator[Fault]:
    """Numbers and extensions that stand in a flow and lead to nobody."""
    known = {*agents, *hotline.branches}
    for name, flow in flows.items():
        for step, box in flow:
            if isinstance(box, Number) and box.number.fixed:
                yield from _number(sources[name], ("steps", step, "number"), hotline, box.number.text, box.trunk)
            if isinstance(box, Extension):
                asked = [box.extension.text] if box.extension.fixed and box.extension != KEYED else []
                for wrong in (extension for extension in (*asked, *box.among) if extension not in known):
                    where = "among" if wrong in box.among else "extension"
                    message = f"`{wrong}` is neither an agent nor a branch{nearest(wrong, known)}"
                    yield sources[name].fault(("steps", step, where), message)


def _number(
    source: Source, where: tuple[str, ...], hotline: HotlineFile, number: str, trunk: str | None = None
) -> Iterator[Fault]:
    try:
        ways_out(hotline, number, trunk)
    except NotAllowed as refusal:
        yield source.fault(where, str(refusal))
