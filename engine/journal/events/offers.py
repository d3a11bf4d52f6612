"""An offer of an item to an agent, and what came of it. Written by the Redis functions."""

from dataclasses import dataclass

from engine.journal.events.event import Event, event


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent who could have taken the offer, in the order of consideration."""

    agent: str
    idle_ms: int


@dataclass(frozen=True, slots=True)
class Passed:
    """An agent who was passed over, and why."""

    agent: str
    why: str


@event("offer.created")
class OfferCreated(Event):
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
