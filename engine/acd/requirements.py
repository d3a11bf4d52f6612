"""Skill expressions: which agents may take an item.

    mandarin>=3 & billing>=5        both, each at least at that level (an agent without the skill has level 0)
    sales | service                 one of them, at any level above 0
    agent:8001                      this agent
    queue:sales                     who serves that queue (agents.yaml, `queues`), now or by having joined it
    any                             everybody
    !(trainee) & sales              sales, not a trainee

`!` binds tighter than `&`, `&` tighter than `|`. Comparisons: `>= > <= < = !=`. What others make idle is left out:
`billing>=8 | billing>=5` is `billing>=5`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

from engine.acd.conditions import (
    COMPARE,
    MEMBER_OF,
    Agent,
    All,
    Any,
    Either,
    Node,
    Not,
    Skill,
    Skills,
    asked_for,
    joined,
    lacks,
)

__all__ = ["Agent", "Requirement", "RequirementError", "Skills", "parse"]

_TOKEN = re.compile(
    r"\s*(?:(?P<agent>agent\s*:\s*(?P<id>[\w.@+-]*))|(?P<queue>queue\s*:\s*(?P<of>[\w-]*))"
    r"|(?P<name>[^\W\d][\w.-]*)|(?P<number>\d+)|(?P<op>>=|<=|!=|==|&&|\|\||[><=&|!()]))"
)
_SPELLINGS = {"==": "=", "&&": "&", "||": "|"}
_DEEPEST = 50


class RequirementError(ValueError):
    """An expression that cannot be read. `position` counts characters from 0."""

    def __init__(self, text: str, position: int, remedy: str) -> None:
        self.text, self.position = text, position
        super().__init__(f"requirement {text!r}, character {position + 1}: {remedy}")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A parsed expression. What differs in order, spacing or repetition only has the same `text` and `id`."""

    text: str  # canonical
    id: str  # twelve hex digits of the canonical text: the same on every engine, nothing to hand out
    root: Node

    def met_by(self, skills: Skills, agent_id: str) -> bool:
        return self.root.met_by(skills, agent_id)

    def proficiency(self, skills: Skills) -> int:
        """How good somebody is at it: the sum of their levels in the skills that it asks for. What stands behind `!`,
        or has a highest level only, is not asked for."""
        return sum(skills.get(name, 0) for name in asked_for(self.root))

    def lacks(self, skills: Skills, agent_id: str) -> tuple[str, ...]:
        """The fewest conditions that an agent would have to meet beside those they do; empty for who meets it."""
        return lacks(self.root, skills, agent_id)

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=4096)
def parse(text: str) -> Requirement:
    """Raises RequirementError with the position and what to write instead."""
    root = _Parser(text).whole()
    canonical = str(root)
    digest = hashlib.blake2s(canonical.encode(), digest_size=6).hexdigest()
    return Requirement(canonical, digest, root)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split()
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        if not self._tokens:
            raise self._error(0, "it is empty; write `any` for an item that everybody may take")
        node = self._either()
        if self._next < len(self._tokens):
            kind, value, position = self._tokens[self._next]
            if value == ")":
                raise self._error(position, "this `)` closes nothing; remove it or add a `(` before")
            if kind == "number":
                raise self._error(position, "a level needs a comparison; write for example `billing>=5`")
            raise self._error(position, f"`&` or `|` is missing before {value!r}")
        return node

    def _split(self) -> list[tuple[str, str, int]]:
        tokens: list[tuple[str, str, int]] = []
        position, end = 0, len(self._text.rstrip())
        while position < end:
            match = _TOKEN.match(self._text, position)
            if match is None:
                start = position + len(self._text[position:]) - len(self._text[position:].lstrip())
                raise self._error(start, f"{self._text[start]!r} has no meaning here; use skills, & | ! ( ) >=")
            if match["agent"] is not None:
                if not match["id"]:
                    raise self._error(match.start("agent"), "`agent:` needs an agent's id, for example `agent:8001`")
                tokens.append(("agent", match["id"], match.start("agent")))
            elif match["queue"] is not None:
                if not match["of"]:
                    raise self._error(match.start("queue"), "`queue:` needs a queue's name, for example `queue:sales`")
                tokens.append(("name", MEMBER_OF + match["of"], match.start("queue")))
            else:
                kind = match.lastgroup or ""
                tokens.append((kind, _SPELLINGS.get(match[kind], match[kind]), match.start(kind)))
            position = match.end()
        return tokens

    def _either(self) -> Node:
        parts = [self._all()]
        while self._take("|"):
            parts.append(self._all())
        return joined(Either, parts)

    def _all(self) -> Node:
        parts = [self._single()]
        while self._take("&"):
            parts.append(self._single())
        return joined(All, parts)

    def _single(self) -> Node:
        if self._next == len(self._tokens):
            raise self._error(
                len(self._text.rstrip()), "it ends too early; a skill, `agent:…`, `any` or `(` must follow"
            )
        kind, value, position = self._tokens[self._next]
        self._next += 1
        if kind == "agent":
            return Agent(value)
        if kind == "name":
            return Any() if value == "any" else self._skill(value)
        if value in {"!", "("}:
            return self._nested(value, position)
        raise self._error(position, f"a skill, `agent:…`, `any` or `(` must stand here, not {value!r}")

    def _nested(self, value: str, position: int) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(position, f"it is nested deeper than {_DEEPEST}; simplify it")
        if value == "!":
            part = self._single()
            node: Node = part.part if isinstance(part, Not) else Not(part)
        else:
            node = self._either()
            if not self._take(")"):
                raise self._error(position, "this `(` is never closed; add a `)`")
        self._depth -= 1
        return node

    def _skill(self, name: str) -> Skill:
        if self._next == len(self._tokens) or self._tokens[self._next][1] not in COMPARE:
            return Skill(name, ">=", 1)
        _, comparison, position = self._tokens[self._next]
        self._next += 1
        if self._next == len(self._tokens) or self._tokens[self._next][0] != "number":
            raise self._error(position, f"`{comparison}` needs a level, a whole number: `{name}{comparison}5`")
        level = int(self._tokens[self._next][1])
        self._next += 1
        return Skill(name, ">=", level + 1) if comparison == ">" else Skill(name, comparison, level)

    def _take(self, symbol: str) -> bool:
        if self._next < len(self._tokens) and self._tokens[self._next][:2] == ("op", symbol):
            self._next += 1
            return True
        return False

    def _error(self, position: int, remedy: str) -> RequirementError:
        return RequirementError(self._text, position, remedy)
