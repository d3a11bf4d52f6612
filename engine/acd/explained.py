"""Why an item waits, or with whom it is: everything that decides about it, at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StepSeen:
    """One step of an item's policy. `ready` and `members`: agents of its line; `staffed`: somebody is logged in."""

    after_ms: int
    requirement: str
    members: int
    ready: int
    staffed: bool
    now: bool


@dataclass(frozen=True, slots=True)
class AgentSeen:
    """An agent of the item's line. `why` not: "" if they would get it next, `rings` if they are being offered it,
    `talking` if they have it."""

    agent: str
    why: str
    until_ms: int  # of an exclusion, else 0
    idle_ms: int


@dataclass(frozen=True, slots=True)
class OfferSeen:
    """An offer under way, or the accepted one."""

    agent: str
    state: str
    token: str
    ms: int  # since it was made; below 0, how long until the agent, who still wraps up, is free for it


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that decides about an item, at one moment. Times in milliseconds; -1: never."""

    id: str
    queue: str
    type: str
    kind: str
    state: str
    order: str
    position: int
    waited_ms: int
    head_start_ms: int
    strict: int
    urgent: bool
    limit_in_ms: int
    limit_why: str
    next_step_in_ms: int
    back_in_ms: int
    talking_ms: int  # since an agent accepted it, which ended its wait
    attempt: int
    preferred: str
    steps: tuple[StepSeen, ...]
    agents: tuple[AgentSeen, ...]
    offers: tuple[OfferSeen, ...]


def explanation(told: dict[str, Any]) -> Explanation:
    """As the Redis function tells it."""
    numbers = ("waited_ms", "head_start_ms", "limit_in_ms", "next_step_in_ms", "back_in_ms", "talking_ms")
    steps = tuple(
        StepSeen(int(s["after"]), s["requirement"], s["members"], s["ready"], bool(s["staffed"]), bool(s["now"]))
        for s in _list(told.pop("steps"))
    )
    agents = tuple(
        AgentSeen(a["agent"], a["why"], int(a["till"]), int(a["idle_ms"])) for a in _list(told.pop("agents"))
    )
    offers = tuple(OfferSeen(o["agent"], o["state"], o["token"], int(o["ms"])) for o in _list(told.pop("offers")))
    told |= {name: int(told[name]) for name in numbers}
    return Explanation(**{**told, "urgent": bool(told["urgent"])}, steps=steps, agents=agents, offers=offers)


def _list(told: Any) -> list[dict[str, Any]]:
    return told or []  # Lua writes an empty list as {}
