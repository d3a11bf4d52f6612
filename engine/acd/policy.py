"""How the items of a queue are served. A policy is immutable, and interned in Redis by what it says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import orjson

from engine.acd.requirements import Agent, Requirement, parse

AT_ONCE_AT_MOST = 20  # phones that may ring at once for one item: `ring: 0`
STRICTEST = 9


class Order(StrEnum):
    """Which of the ready agents is offered an item first."""

    LONGEST_IDLE = "longest_idle"
    LEAST_OCCUPIED = "least_occupied"  # the smaller share of the last hours at work
    FEWEST_CALLS = "fewest_calls"  # since they logged in
    MOST_PROFICIENT = "most_proficient"  # in the skills that the requirement names
    ROUND_ROBIN = "round_robin"  # the one whose last offer is longest ago
    RANDOM = "random"
    WEIGHTED = "weighted"  # at random, by the agents' weights
    LINEAR = "linear"  # always the first of the list


# Orders for which the line of the longest idle will do.
KEPT_ANYWAY = frozenset({Order.LONGEST_IDLE, Order.RANDOM})


class Empty(StrEnum):
    """Nobody is there who could come to answer."""

    NO_AGENTS = "no_agents"  # of the queue, nobody is logged in
    NONE_ELIGIBLE = "none_eligible"  # of those who are logged in, nobody may take this item at any step


def line_of(kind: str, requirement: Requirement) -> str:
    """The line in which items of this kind and requirement wait: `voice.<digest>`, or one agent's own `voice.@8001`."""
    if isinstance(requirement.root, Agent):
        return f"{kind}.@{requirement.root.id}"
    return f"{kind}.{requirement.id}"


@dataclass(frozen=True, slots=True)
class Step:
    """From `after_ms` on, whoever meets `require` may take the item; among the ready, `prefer` is tried first."""

    after_ms: int
    require: str
    prefer: tuple[str, ...] = ()

    def preferred(self) -> list[str]:
        """Whoever meets one of `prefer`, and what is required."""
        return [f"({self.require}) & ({text})" for text in self.prefer]


@dataclass(frozen=True)
class Policy:
    """How the items of one queue are served. Times in milliseconds, 0 for never. Raises ValueError,
    RequirementError."""

    steps: tuple[Step, ...]
    lease_ms: int  # an offer that nobody reports on for so long is taken back: longer than the ring limit
    wrapup_ms: int
    kind: str = "voice"
    order: Order = Order.LONGEST_IDLE
    ring: int = 1  # how many phones ring at once; 0: all of them, at most AT_ONCE_AT_MOST
    head_start_ms: int = 0
    strict: int = 0  # a higher one always goes first
    served_within_ms: int = 0  # who has waited so long goes before everybody else
    capacity: int = 0
    max_wait_ms: int = 0
    leave_when: frozenset[Empty] = frozenset()
    base: str = ""  # the queue's own requirement, where an item's differs
    ignored_limit: int = 3  # offers ignored in a row that make an agent not ready, reason "rona"
    place_kept_ms: int = 0
    reckoned: bool = False  # how long it takes: where somebody is told, and for nothing otherwise
    ahead_ms: int = 0  # so long before an agent's wrap-up ends an item may be reserved for them (calls only)

    def __post_init__(self) -> None:
        times = [step.after_ms for step in self.steps]
        if not times or times[0] != 0 or times != sorted(set(times)):
            raise ValueError("a policy's steps begin at 0 and each comes later than the one before")
        if not 0 <= self.ring <= AT_ONCE_AT_MOST or not 0 <= self.strict <= STRICTEST:
            raise ValueError(f"ring goes from 0 to {AT_ONCE_AT_MOST}, strict from 0 to {STRICTEST}")
        if self.ahead_ms and self.kind != "voice":
            raise ValueError("only calls are reserved ahead")
        for text in (text for step in self.steps for text in (step.require, *step.prefer)):
            parse(text)
        for text in self.requirements():
            parse(text)

    def requirements(self) -> list[str]:
        """Every expression in it."""
        return [text for step in self.steps for text in (step.require, *step.preferred())] + (
            [self.base] if self.base else []
        )

    def lines(self) -> dict[str, Requirement]:
        """The lines that it uses, and what each requires."""
        wanted = map(parse, self.requirements())
        return {line_of(self.kind, requirement): requirement for requirement in wanted}

    @cached_property
    def text(self) -> str:
        """As the Redis functions read it."""
        return orjson.dumps(self._document(), option=orjson.OPT_SORT_KEYS).decode()

    @cached_property
    def id(self) -> str:
        """The same on every engine."""
        return hashlib.blake2s(self.text.encode(), digest_size=6).hexdigest()

    def _document(self) -> dict[str, Any]:
        """What differs from USUAL, and what no two queues need have in common."""

        def line(text: str) -> str:
            return line_of(self.kind, parse(text))

        found = {name: value for name, value in self.said().items() if value != USUAL[name]}
        found["lease"] = self.lease_ms
        found["base"] = line(self.base or self.steps[-1].require)
        found["steps"] = [
            {"after": step.after_ms, "line": line(step.require)}
            | ({"prefer": [line(text) for text in step.preferred()]} if step.prefer else {})
            for step in self.steps
        ]
        return found

    def said(self) -> dict[str, Any]:
        """What has a usual value."""
        return {
            "kind": self.kind,
            "order": self.order.value,
            "ring": self.ring or AT_ONCE_AT_MOST,
            "wrapup": self.wrapup_ms,
            "head_start": self.head_start_ms,
            "strict": self.strict,
            "served_within": self.served_within_ms,
            "capacity": self.capacity,
            "max_wait": self.max_wait_ms,
            "leave_when": {reason.value: True for reason in self.leave_when},
            "ignored_limit": self.ignored_limit,
            "place_kept": self.place_kept_ms,
            "reckoned": self.reckoned,
            "ahead": self.ahead_ms,
        }


# Left out of a policy's text: in Lua's memory, a hundred whole ones were more than half of what its collector goes
# through again and again.
USUAL = Policy(steps=(Step(0, "any"),), lease_ms=0, wrapup_ms=0).said()


def lua_usual() -> str:
    """USUAL as Lua source: what a policy says that does not say otherwise."""

    def text(value: Any) -> str:
        return {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)

    return f"local USUAL_POLICY = {{ {', '.join(f'{name} = {text(value)}' for name, value in USUAL.items())} }}"
