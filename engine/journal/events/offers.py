"""An offer of an item to an agent, and what came of it. Written by the Redis functions."""

from dataclasses import dataclass

from engine.journal.events.event import Event, event


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent who could have taken the offer, with the value by which the order had them; where two are alike, the
    longer idle comes first. `at_hand`: items of this kind, fewer of which come before every order."""

    agent: str
    idle_ms: int | None = None
    calls: int | None = None  # since they logged in
    proficiency: int | None = None
    busy_ms: int | None = None  # of about the last hour
    last_offer: int | None = None  # its number, with which its token begins; 0: none yet
    rank: int | None = None  # place in the list, from 0
    weight: int | None = None
    at_hand: int | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """An agent who was passed over, and why. `less_preferred`: ready, but somebody else met a `prefer`."""

    agent: str
    why: str


@event("offer.created")
class OfferCreated(Event):
    """`by`, where it was not simply the order: `preferred` agent; `prefer`, the step's by its number; `free`: they came
    free, and it was first in their lines; reserved `ahead`; by `hand`. The chosen one is the first candidate."""

    token: str
    agent: str
    queue: str
    requirement: str
    idle_ms: int
    wait_ms: int
    attempt: int
    candidates: tuple[Candidate, ...] = ()
    passed: tuple[Passed, ...] = ()
    step: int = 1
    order: str = "longest_idle"
    free_in_ms: int = 0  # the agent still wraps up, for so long; 0: they are free
    by: str = ""
    prefer: int = 0
    head_start_ms: int = 0
    strict: int = 0
    urgent: bool = False  # past its `served_within`: before everybody else


@event("offer.ringing")
class OfferRinging(Event):
    token: str
    agent: str
    ms: int


@event("offer.accepted")
class OfferAccepted(Event):
    token: str
    agent: str
    wait_ms: int
    ring_ms: int


@event("offer.missed")
class OfferMissed(Event):
    """`cause` is Q.850 (ITU-T Q.850), `tech_cause` the SIP status (RFC 3261); absent where there was none."""

    token: str
    agent: str
    reason: str
    ring_ms: int
    cause: int | None = None
    tech_cause: int | None = None


@event("offer.cancelled")
class OfferCancelled(Event):
    token: str
    agent: str
    reason: str
