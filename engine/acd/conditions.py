"""What a requirement is made of: conditions on an agent, who meets them, and which of them follow from which."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

Skills = Mapping[str, int]

# An agent who serves a queue has, beside their skills, this one at level 1.
MEMBER_OF = "queue:"
# Whoever has a program open that shows them items has this one; no skill in agents.yaml has a dot in its name.
CLIENT = "client.open"

COMPARE: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Any:
    def met_by(self, skills: Skills, agent_id: str) -> bool:
        return True

    def __str__(self) -> str:
        return "any"


@dataclass(frozen=True, slots=True)
class Agent:
    id: str

    def met_by(self, skills: Skills, agent_id: str) -> bool:
        return agent_id == self.id

    def __str__(self) -> str:
        return f"agent:{self.id}"


@dataclass(frozen=True, slots=True)
class Skill:
    name: str
    comparison: str
    level: int

    def met_by(self, skills: Skills, agent_id: str) -> bool:
        return self.holds(skills.get(self.name, 0))

    def holds(self, level: int) -> bool:
        return COMPARE[self.comparison](level, self.level)

    def __str__(self) -> str:
        if (self.comparison, self.level) == (">=", 1):
            return self.name
        return f"{self.name}{self.comparison}{self.level}"


@dataclass(frozen=True, slots=True)
class Not:
    part: Node

    def met_by(self, skills: Skills, agent_id: str) -> bool:
        return not self.part.met_by(skills, agent_id)

    def __str__(self) -> str:
        return f"!({self.part})" if isinstance(self.part, All | Either) else f"!{self.part}"


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Node, ...]

    def met_by(self, skills: Skills, agent_id: str) -> bool:
        return all(part.met_by(skills, agent_id) for part in self.parts)

    def __str__(self) -> str:
        return " & ".join(f"({part})" if isinstance(part, Either) else str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple[Node, ...]

    def met_by(self, skills: Skills, agent_id: str) -> bool:
        return any(part.met_by(skills, agent_id) for part in self.parts)

    def __str__(self) -> str:
        return " | ".join(map(str, self.parts))


Node = Any | Agent | Skill | Not | All | Either


def joined(kind: type[All] | type[Either], parts: list[Node]) -> Node:
    """All of `parts`, or one of them: flattened, without what the others make idle, in one order, so that equal
    meanings share an id where that is cheap."""
    flat: dict[str, Node] = {}
    for part in parts:
        for piece in part.parts if isinstance(part, kind) else (part,):
            flat[str(piece)] = piece
    left = [flat[text] for text in sorted(flat)]
    for part in tuple(left):
        others = [other for other in left if other is not part]
        if any(implies(other, part) if kind is All else implies(part, other) for other in others):
            left = others
    return left[0] if len(left) == 1 else kind(tuple(left))


@lru_cache(maxsize=16_384)
def implies(one: Node, other: Node) -> bool:
    """Whether whoever meets `one` meets `other`. True is certain; False only means that it is not cheap to see."""
    if one == other or isinstance(other, Any):
        return True
    if isinstance(one, Either):
        return all(implies(part, other) for part in one.parts)
    if isinstance(other, All):
        return all(implies(one, part) for part in other.parts)
    if isinstance(one, All) and any(implies(part, other) for part in one.parts):
        return True
    if isinstance(other, Either):
        return any(implies(one, part) for part in other.parts)
    if isinstance(one, Not) and isinstance(other, Not):
        return implies(other.part, one.part)
    if isinstance(one, Skill) and isinstance(other, Skill) and one.name == other.name:
        # Each changes its mind at its own level only: these stand for all levels that there may be.
        told = {0, *(each.level + step for each in (one, other) for step in (-1, 0, 1))}
        return all(other.holds(level) for level in told if level >= 0 and one.holds(level))
    return False


def leaves(node: Node) -> Iterator[Any | Agent | Skill]:
    """The conditions that are made of no others, whatever stands around them."""
    if isinstance(node, Not):
        yield from leaves(node.part)
    elif isinstance(node, All | Either):
        for part in node.parts:
            yield from leaves(part)
    else:
        yield node


def lacks(node: Node, skills: Skills, agent_id: str) -> tuple[str, ...]:
    """The fewest conditions that an agent would have to meet beside those they do; empty for who meets `node`."""
    if isinstance(node, All):
        return tuple(lack for part in node.parts for lack in lacks(part, skills, agent_id))
    if isinstance(node, Either):
        return min((lacks(part, skills, agent_id) for part in node.parts), key=len)
    return () if node.met_by(skills, agent_id) else (str(node),)


def asked_for(node: Node) -> frozenset[str]:
    """The skills of which an agent can have more or less: those with a least level, outside of any `!`."""
    if isinstance(node, All | Either):
        return frozenset().union(*map(asked_for, node.parts))
    return frozenset({node.name} if isinstance(node, Skill) and node.comparison in (">=", ">", "=") else ())
