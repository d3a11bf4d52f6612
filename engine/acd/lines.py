"""The lines that agents stand in, and the orders that keep the ready of some of them apart."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from engine.acd.policy import KEPT_ANYWAY, USUAL, Order, Policy
from engine.acd.requirements import Agent, Requirement, Skills, parse

Entry = list[str | int]  # [L], or [L, order, proficiency] where an order keeps it apart


class Profile:
    """In which lines somebody stands, by kind, and its name: agents of the same skills share one."""

    def __init__(self, lines: Mapping[str, list[Entry]]) -> None:
        self.text = orjson.dumps(lines).decode()
        self.id = hashlib.blake2s(self.text.encode(), digest_size=6).hexdigest()


class Lines:
    """An agent's own line is none of them: they stand in it anyway."""

    def __init__(self) -> None:
        self._required: dict[str, Requirement] = {}
        self._orders: defaultdict[str, set[Order]] = defaultdict(set)
        self._in_use: set[tuple[str, Order]] = set()  # by policies that Redis has
        self._of_kind: dict[str, list[str]] = {}  # in their order, worked out when it is asked for

    def __len__(self) -> int:
        return len(self._required)

    def __iter__(self) -> Iterator[str]:
        return iter(self._required)

    def __contains__(self, line: str) -> bool:
        return line in self._required

    def learn(self, texts: Mapping[str, str], policies: Iterable[Mapping[str, Any]]) -> None:
        """As Redis has them: lines with their expressions, and the policies that use them (`Policy.text`)."""
        for line, text in texts.items():
            self._add(line, parse(text))
        for policy in policies:
            order = Order(policy.get("order", USUAL["order"]))
            for line in lines_of(policy):
                self._order(line, order)
                self._in_use |= {(line, order), (line, Order.LONGEST_IDLE)}

    def add(self, policy: Policy) -> None:
        for line, requirement in shared(policy):
            self._add(line, requirement)
            self._order(line, policy.order)

    def new_in(self, policy: Policy) -> list[str]:
        """Those of its lines in which not everybody stands who meets them: no policy that Redis has uses them so. That
        somebody has interned a line does not say that all have stepped in."""
        order = Order.LONGEST_IDLE if policy.order in KEPT_ANYWAY else policy.order
        return [line for line, _ in shared(policy) if (line, order) not in self._in_use]

    def texts(self) -> dict[str, str]:
        return {line: requirement.text for line, requirement in self._required.items()}

    def requirement(self, line: str) -> Requirement:
        return self._required[line]

    def entries(self, line: str, skills: Skills) -> list[Entry]:
        """As it stands in the profile of somebody who has these skills, and meets it."""
        orders = sorted(self._orders.get(line, ()))
        proficiency = self._required[line].proficiency(skills) if Order.MOST_PROFICIENT in orders else 0
        return [[line, order.value, proficiency] for order in orders] or [[line]]

    def profile(self, agent: str, skills: Skills, takes: Mapping[str, int]) -> Profile:
        """Of each kind that they take, the lines that they stand in."""
        lines = {
            kind: [
                entry
                for line in self._lines_of_kind(kind)
                if self._required[line].met_by(skills, agent)
                for entry in self.entries(line, skills)
            ]
            for kind, most in sorted(takes.items())
            if most > 0
        }
        return Profile(lines)

    def _lines_of_kind(self, kind: str) -> list[str]:
        if kind not in self._of_kind:
            self._of_kind[kind] = sorted(line for line in self._required if kind_of(line) == kind)
        return self._of_kind[kind]

    def _add(self, line: str, requirement: Requirement) -> None:
        if line not in self._required:
            self._required[line] = requirement
            self._of_kind.pop(kind_of(line), None)

    def _order(self, line: str, order: Order) -> None:
        if order not in KEPT_ANYWAY and line in self._required:
            self._orders[line].add(order)


def kind_of(line: str) -> str:
    return line.partition(".")[0]


def shared(policy: Policy) -> Iterator[tuple[str, Requirement]]:
    """Its lines but those that are one agent's own."""
    for line, requirement in policy.lines().items():
        if not isinstance(requirement.root, Agent):
            yield line, requirement


def lines_of(policy: Mapping[str, Any]) -> Iterator[str]:
    """Of a policy as Redis has it."""
    yield policy["base"]
    for step in policy["steps"]:
        yield from (step["line"], *step.get("prefer", ()))
