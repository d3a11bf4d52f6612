"""The life of an offer, and what each kind of missed offer does to the agent.

Both tables are rendered into the Redis library (library.py): what Redis does is what is written here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OfferState(StrEnum):
    OFFERED = "offered"  # agent reserved, leg not ringing yet
    RINGING = "ringing"
    ACCEPTED = "accepted"  # the agent answered: caller and agent talk
    MISSED = "missed"  # ended without an answer; the item is back at its place
    CANCELLED = "cancelled"  # the item went away; the agent is not charged
    CLOSED = "closed"  # the conversation is over


class OfferEvent(StrEnum):
    RING = "ring"
    ACCEPT = "accept"
    MISS = "miss"
    FAIL = "fail"  # our side could not bring it about: also after the answer, before the bridge
    DUMP = "dump"  # answered and gone before the bridge
    LAPSE = "lapse"  # the lease ran out: the engine that held it died or hangs
    CANCEL = "cancel"
    LEAVE = "leave"


TRANSITIONS: dict[tuple[OfferState, OfferEvent], OfferState] = {
    (OfferState.OFFERED, OfferEvent.RING): OfferState.RINGING,
    (OfferState.OFFERED, OfferEvent.ACCEPT): OfferState.ACCEPTED,
    (OfferState.OFFERED, OfferEvent.MISS): OfferState.MISSED,
    (OfferState.OFFERED, OfferEvent.FAIL): OfferState.MISSED,
    (OfferState.OFFERED, OfferEvent.LAPSE): OfferState.MISSED,
    (OfferState.OFFERED, OfferEvent.CANCEL): OfferState.CANCELLED,
    (OfferState.RINGING, OfferEvent.RING): OfferState.RINGING,
    (OfferState.RINGING, OfferEvent.ACCEPT): OfferState.ACCEPTED,
    (OfferState.RINGING, OfferEvent.MISS): OfferState.MISSED,
    (OfferState.RINGING, OfferEvent.FAIL): OfferState.MISSED,
    (OfferState.RINGING, OfferEvent.LAPSE): OfferState.MISSED,
    (OfferState.RINGING, OfferEvent.CANCEL): OfferState.CANCELLED,
    # Repeated or late news of the same offer is not stale: a retry after a lost connection must succeed.
    (OfferState.ACCEPTED, OfferEvent.RING): OfferState.ACCEPTED,
    (OfferState.ACCEPTED, OfferEvent.ACCEPT): OfferState.ACCEPTED,
    (OfferState.ACCEPTED, OfferEvent.FAIL): OfferState.MISSED,
    (OfferState.ACCEPTED, OfferEvent.DUMP): OfferState.MISSED,
    (OfferState.ACCEPTED, OfferEvent.LEAVE): OfferState.CLOSED,
}


class IllegalTransition(Exception):  # noqa: N818 - the house's name for it
    """An event that the offer's state does not allow."""


def step(state: OfferState, event: OfferEvent) -> OfferState:
    """The state after `event`. Raises IllegalTransition."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"an offer that is {state} cannot {event}") from None


class Missed(StrEnum):
    """Why an offer ended without a conversation (RESEARCH.md, appendix B)."""

    BUSY = "busy"  # 486, 600 from a phone that rang or was in use
    DND = "dnd"  # 486, 600, 480, 302 at once from a phone that we held for idle
    REJECTED = "rejected"  # 603
    NO_ANSWER = "no_answer"  # rang its full time
    UNCONFIRMED = "unconfirmed"  # an outside phone was answered, and nobody pressed the key
    UNREACHABLE = "unreachable"  # not registered, 408, nothing within 3 s
    WRONG_NUMBER = "wrong_number"  # 404, 485, 604: the agent's phone is not where the configuration says
    FAILED = "failed"  # 5xx, codec, our own fault
    DUMPED = "dumped"  # answered and gone before the bridge
    LEASE = "lease"  # found by the tick only: nobody reported back in time


GAP_S = 5.0  # between a missed offer and whatever is next for the same agent


@dataclass(frozen=True, slots=True)
class Treatment:
    """What a missed offer does: times in seconds. Whoever is to blame, that phone rings for nobody within the gap. An
    offer that was cancelled was not missed and keeps none, on purpose: the caller has hung up, or somebody else has
    answered, and the agent had their hand on the phone."""

    event: OfferEvent
    exclude_s: float  # this agent is not offered this item again for so long
    cool_s: float = GAP_S  # this agent is offered nothing for so long
    counts: str = ""  # `ignored` towards RONA, `dnds` towards not ready with reason "dnd"
    not_ready: str = ""  # not ready at once, with this reason
    device_down: bool = False  # the phone is gone until a device event says otherwise
    keeps_place: bool = False  # not the agent's doing: keeps its place among the longest idle


IGNORED_LIMIT = 3  # consecutive ignored offers before the agent is set not ready, reason "rona": a policy's default
DND_AFTER = 2  # consecutive offers met by do-not-disturb

TREATMENTS: dict[Missed, Treatment] = {
    Missed.BUSY: Treatment(OfferEvent.MISS, exclude_s=GAP_S, cool_s=10),
    Missed.DND: Treatment(OfferEvent.MISS, exclude_s=10, cool_s=10, counts="dnds"),
    Missed.REJECTED: Treatment(OfferEvent.MISS, exclude_s=60),
    Missed.NO_ANSWER: Treatment(OfferEvent.MISS, exclude_s=60, counts="ignored"),
    Missed.UNCONFIRMED: Treatment(OfferEvent.MISS, exclude_s=60, counts="ignored"),
    Missed.UNREACHABLE: Treatment(OfferEvent.MISS, exclude_s=GAP_S, device_down=True),
    Missed.WRONG_NUMBER: Treatment(OfferEvent.MISS, exclude_s=60, not_ready="config"),
    Missed.FAILED: Treatment(OfferEvent.FAIL, exclude_s=GAP_S, keeps_place=True),
    Missed.DUMPED: Treatment(OfferEvent.DUMP, exclude_s=60, counts="ignored"),
    Missed.LEASE: Treatment(OfferEvent.LAPSE, exclude_s=GAP_S, keeps_place=True),
}


def lua_tables() -> str:
    """The tables above as Lua source."""
    moves: dict[str, list[str]] = {}
    for (state, event), after in TRANSITIONS.items():
        moves.setdefault(state, []).append(f"{event} = '{after}'")
    lines = ["local OFFER = {"]
    lines += [f"  {state} = {{ {', '.join(rules)} }}," for state, rules in moves.items()]
    lines += ["}", "local TREATMENTS = {"]
    for missed, rule in TREATMENTS.items():
        flags = ", ".join(f"{name} = {str(getattr(rule, name)).lower()}" for name in ("device_down", "keeps_place"))
        words = f"counts = '{rule.counts}', not_ready = '{rule.not_ready}'"
        times = f"exclude_ms = {round(rule.exclude_s * 1000)}, cool_ms = {round(rule.cool_s * 1000)}"
        lines.append(f"  {missed} = {{ event = '{rule.event}', {times}, {words}, {flags} }},")
    lines += ["}", f"local DND_AFTER = {DND_AFTER}", ""]
    return "\n".join(lines)
