"""What the model remembers of agents, items and offers. Times in milliseconds; 0 is never."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.acd import AgentTerms, Policy
from engine.acd.offer import TRANSITIONS, OfferEvent, OfferState

NEVER = 0


@dataclass
class ModelHand:
    token: str
    kind: str
    work: str
    since: int
    until: int = 0


@dataclass
class ModelAgent:
    id: str
    terms: AgentTerms
    skills: dict[str, int] = field(default_factory=dict)  # changed while running
    intent: str = "logged_out"
    reason: str = ""
    device: str = "down"
    hands: list[ModelHand] = field(default_factory=list)
    idle_since: int = 0
    cool_until: int = 0
    ignored: int = 0
    dnds: int = 0
    calls: int = 0
    busy: float = 0.0
    busy_at: int = 0
    last_offer: int = 0
    removed: bool = False
    ready: dict[str, float] = field(
        default_factory=dict
    )  # the kinds they stand ready for -> how occupied they were then
    present: set[str] = field(default_factory=set)  # lines that count them as logged in
    staffs: set[str] = field(default_factory=set)  # lines that count them as at work, their own ones too

    def at_hand(self, kind: str) -> int:
        return sum(hand.kind == kind for hand in self.hands)

    def takes(self, kind: str) -> int:
        return 0 if self.removed else self.terms.takes.get(kind, 0)


@dataclass
class ModelOffer:
    agent: str
    token: str
    state: str = "offered"


@dataclass
class ModelItem:
    id: str
    queue: str
    policy: Policy
    engine: str
    at: int
    seq: int
    head: int = 0
    strict: int = 0
    who: str = ""
    preferred: str = ""
    patience_until: int = NEVER
    step: int = 1
    line: str = ""
    score: int = 0
    state: str = "new"
    in_line: bool = False
    sole: bool = False
    offers: list[ModelOffer] = field(default_factory=list)
    attempt: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    step_at: int = NEVER
    longest_at: int = NEVER
    limit_at: int = NEVER
    limit_why: str = ""
    urgent_at: int = NEVER
    back_at: int = NEVER


def hand_of(agent: ModelAgent, token: str) -> ModelHand:
    return next(hand for hand in agent.hands if hand.token == token)


def after(offer: ModelOffer | None, event: OfferEvent) -> OfferState | None:
    return TRANSITIONS.get((OfferState(offer.state), event)) if offer else None


def is_own(line: str) -> bool:
    return ".@" in line
