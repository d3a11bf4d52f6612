"""What each agent can by now, and by skill who can it: whoever brings in a requirement need not ask everybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from engine.acd.conditions import Agent, All, Either, Node, Skill, Skills
from engine.acd.requirements import Requirement

Changes = Mapping[str, int]  # skills that differ from the configuration


class Abilities:
    """Nobody is found by a skill before `change` has said what differs for them, if only that nothing does."""

    def __init__(self, configured: Mapping[str, Skills]) -> None:
        self._configured = configured
        self._now = dict(configured)
        self._who: defaultdict[str, set[str]] = defaultdict(set)  # skill -> those who have it at a level above 0

    def of(self, agent: str) -> Skills:
        return self._now[agent]

    def change(self, agent: str, changes: Changes) -> None:
        """All that differs for this agent from now on; one whom only another engine knows is none of ours."""
        if agent not in self._configured:
            return
        for skill in self._now[agent]:
            self._who[skill].discard(agent)
        self._now[agent] = {**self._configured[agent], **changes} if changes else self._configured[agent]
        for skill, level in self._now[agent].items():
            if level > 0:
                self._who[skill].add(agent)

    def candidates(self, requirement: Requirement) -> Collection[str]:
        """Everybody who may meet it, and as few others as is cheap to see; everybody, where one meets it by lacking
        something."""
        some = self._some(requirement.root)
        return self._now.keys() if some is None else some & self._now.keys()

    def _some(self, node: Node) -> Collection[str] | None:
        """None: it may be anybody."""
        if isinstance(node, Agent):
            return {node.id}
        if isinstance(node, Skill) and not node.holds(0):
            return self._who.get(node.name, set())
        if isinstance(node, All):
            return min((some for part in node.parts if (some := self._some(part)) is not None), key=len, default=None)
        if isinstance(node, Either):
            parts = [self._some(part) for part in node.parts]
            return None if None in parts else set().union(*(part for part in parts if part))
        return None
