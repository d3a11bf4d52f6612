"""What the ACD hands out: offers, placements, and snapshots of agents, queues and items."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Intent(StrEnum):
    """What the agent wants."""

    LOGGED_OUT = "logged_out"
    READY = "ready"
    NOT_READY = "not_ready"


class Device(StrEnum):
    """What the agent's phone can, from Asterisk."""

    DOWN = "down"
    IDLE = "idle"
    BUSY = "busy"


class Work(StrEnum):
    """What the agent's item makes of them."""

    IDLE = "idle"
    RESERVED = "reserved"
    RINGING = "ringing"
    TALKING = "talking"
    WRAPUP = "wrapup"


@dataclass(frozen=True, slots=True)
class Offer:
    token: str  # `<number>-<item>`: the number only ever grows, so a later offer has a higher one
    item: str
    agent: str
    queue: str
    attempt: int  # 1 for the item's first offer


@dataclass(frozen=True, slots=True)
class Placement:
    position: int  # 1-based among the waiting of its queue; 0 when an offer was made at once
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class AgentState:
    id: str
    intent: Intent
    reason: str
    device: Device
    work: Work
    since_ms: int  # of the present work
    item: str  # the item at work, or wrapped up
    idle_since_ms: int  # 0: not ready since they last worked
    cool_until_ms: int
    misses: int  # consecutive ignored offers
    wrapup_until_ms: int

    def routable(self, now_ms: int) -> bool:
        return (
            self.intent is Intent.READY
            and self.device is Device.IDLE
            and self.work is Work.IDLE
            and self.cool_until_ms <= now_ms
        )


@dataclass(frozen=True, slots=True)
class QueueState:
    queue: str
    requirement: str  # the one last asked for in this queue
    waiting: int
    oldest_wait_ms: int
    ready: int  # routable agents who meet the requirement


@dataclass(frozen=True, slots=True)
class ItemState:
    id: str
    queue: str
    state: Literal["waiting", "offered", "talking"]
    agent: str  # "" while waiting
    token: str  # "" while waiting
    attempt: int  # offers made so far
    enqueued_ms: int
