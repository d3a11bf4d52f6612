"""What queues and agents say of each other: whoever a queue asks for must exist."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from engine.acd import Requirement, parse
from engine.acd import conditions as c
from engine.config.agents import Agent
from engine.config.queues import Kind, Queue, QueuesFile
from engine.config.source import Fault, Source, nearest

Agents = Mapping[str, Agent]
Where = tuple[str | int, ...]


class Served(Protocol):
    """Who waits for what and who answers: a site has it, and so has a simulated day."""

    @property
    def queues(self) -> Mapping[str, Queue]: ...

    @property
    def agents(self) -> Agents: ...

    @property
    def kinds(self) -> Mapping[str, Kind]: ...


def of_queues(source: Source, file: QueuesFile, agents: Agents, calendars: Collection[str]) -> Iterator[Fault]:
    """What keeps a queue from being served, each at its place in queues.yaml."""
    kinds = file.all_kinds()
    yield from _of_kinds(source, kinds)
    for name, queue in file.queues.items():
        at = ("queues", name)
        if queue.kind not in kinds:
            yield source.fault((*at, "kind"), f"no kind `{queue.kind}`{nearest(queue.kind, kinds)}")
        if queue.hours is not None and queue.hours not in calendars:
            said = f"no calendar `{queue.hours}` in dialplan/calendars.yaml{nearest(queue.hours, calendars)}"
            yield source.fault((*at, "hours"), said)
        if queue.callbacks is not None and (hours := queue.callbacks.hours) is not None and hours not in calendars:
            said = f"no calendar `{hours}` in dialplan/calendars.yaml{nearest(hours, calendars)}"
            yield source.fault((*at, "callbacks", "hours"), said)
        if not queue.max_wait:
            yield source.fault((*at, "max_wait"), "nobody could wait here; write how long a caller may: `10m`")
        for where, text in preferences(queue):
            yield from (source.fault((*at, *where), said) for said in strangers(text, file.queues, agents))
        for number, (where, text) in enumerate(steps(queue), 1):
            for said in unserved(text, file.queues, agents, queue.kind, step=number if queue.steps else 0):
                yield source.fault((*at, *where), said)


def of_agents(source: Source, agents: Agents, file: QueuesFile) -> Iterator[Fault]:
    """Queues and kinds in agents.yaml that there are none of."""
    kinds: Mapping[str, Kind] = file.all_kinds()
    for user, agent in agents.items():
        for number, queue in enumerate(agent.queues):
            if queue not in file.queues:
                said = f"no queue `{queue}` in dialplan/queues.yaml{nearest(queue, file.queues)}"
                yield source.fault(("agents", user, "queues", number), said)
        for kind, most in agent.takes.items():
            if kind not in kinds:
                yield source.fault(("agents", user, "takes", kind), f"no kind `{kind}`{nearest(kind, kinds)}")
            elif said := too_heavy(kinds[kind], most):
                yield source.fault(("agents", user, "takes", kind), f"{said} (its `weight` in dialplan/queues.yaml)")


def _of_kinds(source: Source, kinds: Mapping[str, Kind]) -> Iterator[Fault]:
    for name, kind in kinds.items():
        if said := too_heavy(kind, kind.at_once):
            yield source.fault(("kinds", name, "weight"), f"{said}: change it, or `at_once`")


def too_heavy(kind: Kind, at_once: int) -> str:
    """Why nobody can ever have so many of a kind at hand; "" when they can."""
    if kind.weight is None or kind.weight * at_once <= 100:
        return ""
    return f"{at_once} of {kind.weight} % each are more than one person; {100 // kind.weight} is the most"


def steps(queue: Queue) -> Iterator[tuple[Where, str]]:
    """What each step requires, and where that is written."""
    if queue.require:
        yield ("require",), queue.require
    for number, step in enumerate(queue.steps):
        yield ("steps", number, "require"), step.require


def preferences(queue: Queue) -> Iterator[tuple[Where, str]]:
    """What is preferred, and where that is written."""
    for number, text in enumerate(queue.prefer):
        yield ("prefer", number), text
    for at, step in enumerate(queue.steps):
        for number, text in enumerate(step.prefer):
            yield ("steps", at, "prefer", number), text


def takers(agents: Agents, kind: str) -> Agents:
    """Whoever takes items of a kind at all."""
    return {user: agent for user, agent in agents.items() if agent.takes.get(kind) != 0}


def unserved(text: str, queues: Collection[str], agents: Agents, kind: str, *, step: int = 0) -> Iterator[str]:
    """Why nobody can ever take an item of a kind that requires this."""
    unknown = list(strangers(text, queues, agents))
    yield from unknown
    if not unknown and (said := why_nobody(text, takers(agents, kind), step=step)):
        yield said


def strangers(text: str, queues: Collection[str], agents: Collection[str]) -> Iterator[str]:
    """Queues and agents that a requirement names and that there are none of."""
    for leaf in c.leaves(parse(text).root):
        if isinstance(leaf, c.Agent) and leaf.id not in agents:
            yield f"`{leaf}`: no such agent in dialplan/agents.yaml{nearest(leaf.id, agents)}"
        if (queue := joinable(leaf)) and queue not in queues:
            yield f"`{leaf}`: no such queue{nearest(queue, queues)}"


def joinable(leaf: c.Node) -> str:
    """The queue whose members a condition is about; "" for another condition."""
    return (
        leaf.name.removeprefix(c.MEMBER_OF) if isinstance(leaf, c.Skill) and leaf.name.startswith(c.MEMBER_OF) else ""
    )


def why_nobody(text: str, agents: Agents, *, step: int = 0) -> str:
    """Why no agent can ever meet a requirement, who comes nearest and what they lack; "" when somebody can, even if
    they have to join a queue before."""
    need = parse(text)
    able = {user: with_joining(need, agent) for user, agent in agents.items()}
    if any(need.met_by(skills, user) or need.met_by(agents[user].abilities, user) for user, skills in able.items()):
        return ""
    said = f"no agent in agents.yaml can ever meet `{text}`" + (f" (step {step})" if step else "")
    if able:
        user = min(able, key=lambda user: _distance(need, able[user], user))
        lacks = ", ".join(_lack(lack, able[user]) for lack in need.lacks(able[user], user))
        said += f"; {user} {agents[user].name} comes nearest, without {lacks}"
    return f"{said}; give one the skill or ask for less"


def with_joining(need: Requirement, agent: Agent) -> c.Skills:
    """What an agent can once they have joined every queue that the requirement names."""
    return {leaf.name: 1 for leaf in c.leaves(need.root) if isinstance(leaf, c.Skill) and joinable(leaf)} | {
        **agent.abilities
    }


def _distance(need: Requirement, skills: c.Skills, user: str) -> tuple[int, int]:
    """How many conditions somebody lacks, and how many levels."""
    lacks = need.lacks(skills, user)
    skilled = [condition for lack in lacks if isinstance(condition := parse(lack).root, c.Skill)]
    return len(lacks), sum(abs(condition.level - skills.get(condition.name, 0)) for condition in skilled)


def _lack(text: str, skills: c.Skills) -> str:
    condition = parse(text).root
    has = skills.get(condition.name) if isinstance(condition, c.Skill) else None
    return f"`{text}`" + (f" (has {has})" if has is not None else "")
