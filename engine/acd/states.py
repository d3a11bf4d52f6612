"""What the ACD hands out: notices, placements, and snapshots of agents, queues and items."""

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
    """What the agent's items make of them."""

    IDLE = "idle"
    RESERVED = "reserved"
    RINGING = "ringing"
    TALKING = "talking"
    WRAPUP = "wrapup"


@dataclass(frozen=True, slots=True)
class Offer:
    """An agent is reserved for an item."""

    token: str  # `<number>-<item>`: the number only ever grows, so a later offer has a higher one
    item: str
    agent: str
    queue: str
    attempt: int  # 1 for the item's first offer
    free_in_ms: int = 0  # reserved ahead of their wrap-up's end: until then their phone must not ring


@dataclass(frozen=True, slots=True)
class Sooner:
    """An agent who was reserved ahead is free sooner than was said."""

    token: str
    item: str
    agent: str
    free_in_ms: int


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The ACD took an offer back, by somebody else's doing: the agent's leg must end."""

    token: str
    item: str
    agent: str
    reason: str


# The target of whoever is moved: the queue's name follows.
TO_QUEUE = "queue:"


@dataclass(frozen=True, slots=True)
class Released:
    """The ACD has ended an item's wait. `reason`: timed_out, closed, no_agents, none_eligible, replaced, or what a
    supervisor said; `target`: where they want it to go, such as `queue:service`, "" if they did not say. What it had of
    its own, or by a supervisor's hand, goes along."""

    item: str
    reason: str
    target: str
    head_start_ms: int
    strict: int

    @property
    def queue(self) -> str:
        """The queue that it is moved to; "" for none."""
        return self.target.removeprefix(TO_QUEUE) if self.target.startswith(TO_QUEUE) else ""


Notice = Offer | Sooner | Cancelled | Released


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an item has come to stand."""

    position: int  # 1-based among the waiting of its queue; 0 when an offer was made at once
    offers: tuple[Offer, ...] = ()
    refused: str = ""  # full, no_agents, none_eligible, timed_out, closed; "" when it was taken
    waited_ms: int = (
        0  # that it counts as having waited, where a place that it took over makes that longer than was said
    )

    @property
    def offer(self) -> Offer | None:
        """The first one."""
        return self.offers[0] if self.offers else None


@dataclass(frozen=True, slots=True)
class Hand:
    """One item that an agent has at hand."""

    token: str
    kind: str
    work: Work
    since_ms: int
    until_ms: int  # of a wrap-up; of what was reserved ahead of its end, when they are free for it; else 0

    @property
    def item(self) -> str:
        """The item's id."""
        return self.token.partition("-")[2]


@dataclass(frozen=True, slots=True)
class AgentState:
    """One agent, on three axes that do not overwrite each other: intent, device, work."""

    id: str
    intent: Intent
    reason: str
    device: Device
    hands: tuple[Hand, ...]
    since_ms: int  # of the present intent
    idle_since_ms: int  # 0: not ready since they last worked
    cool_until_ms: int
    misses: int  # consecutive ignored offers
    calls: int  # accepted since they logged in
    ready: tuple[str, ...]  # the kinds of which they would be offered the next item

    @property
    def hand(self) -> Hand | None:
        """The item that says most about what they do: talking before ringing before reserved before wrap-up."""
        return max(self.hands, key=lambda hand: _WEIGHT[hand.work], default=None)

    @property
    def work(self) -> Work:
        """What they do."""
        return self.hand.work if self.hand else Work.IDLE

    @property
    def item(self) -> str:
        """The item at work, or wrapped up; "" for none."""
        return self.hand.item if self.hand else ""

    @property
    def wrapup_until_ms(self) -> int:
        """The latest end of a wrap-up; 0 for none."""
        return max((hand.until_ms for hand in self.hands if hand.work is Work.WRAPUP), default=0)

    def routable(self, now_ms: int) -> bool:
        """Whether a call could be offered to them now."""
        return (
            self.intent is Intent.READY
            and self.device is Device.IDLE
            and self.work is Work.IDLE
            and self.cool_until_ms <= now_ms
        )


_WEIGHT = {Work.WRAPUP: 1, Work.RESERVED: 2, Work.RINGING: 3, Work.TALKING: 4}


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue at a moment."""

    queue: str
    requirement: str  # of its policy's first step
    waiting: int
    oldest_wait_ms: int
    ready: int  # who would be offered the next item
    staffed: int  # logged in, with a phone, and meaning to work: the ready and the busy
    present: int  # logged in, on a break or not


@dataclass(frozen=True, slots=True)
class ItemState:
    """One item at a moment."""

    id: str
    queue: str
    type: str
    state: Literal["waiting", "offered", "talking", "deferred"]
    offers: tuple[Offer, ...]  # those under way; the accepted one while talking
    attempt: int  # offers made so far
    enqueued_ms: int
    data: str

    @property
    def agent(self) -> str:
        """The first agent of its offers; "" while waiting."""
        return self.offers[0].agent if self.offers else ""

    @property
    def token(self) -> str:
        """The token of its first offer; "" while waiting."""
        return self.offers[0].token if self.offers else ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What Redis knows about how soon an item will be answered."""

    position: int
    staffed: int  # agents at work who may take it
    served: float  # by how many items the queue's line got on lately (decayed), and
    worked_ms: float  # how long there was a line meanwhile, times the agents at work
    handled: float  # items finished lately, and
    handle_ms: float  # how long agents had them at hand from the offer to the end of the wrap-up, altogether
    ring_ms: float  # how much of that passed before they answered
    said_place: int  # what the caller was told last; 0: nothing
    said_ms: int | None  # how soon they expect somebody at the latest, after what they were told last; None: nothing


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How good the estimates of a queue were, over all who were told one and were then answered."""

    queue: str
    told: int
    within: int  # answered inside of the range that they were told first
    took_ms: int  # mean time from there to the answer
    error_ms: int  # mean absolute distance of that from the middle of what was reckoned
    bias_ms: int  # mean of taken minus reckoned: above 0, people waited longer than was reckoned
