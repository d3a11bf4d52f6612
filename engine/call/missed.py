"""What the end of an agent's unanswered leg says about the agent (RESEARCH of the field, appendix B)."""

from __future__ import annotations

from engine.acd import Missed
from engine.asterisk.channel import LegEnd

# "Temporarily unavailable" so soon after the INVITE is a do-not-disturb key, not a person who did not come.
DO_NOT_DISTURB_MS = 2000

_BY_STATUS = {
    302: Missed.DND,
    401: Missed.REJECTED,
    403: Missed.REJECTED,
    404: Missed.WRONG_NUMBER,
    407: Missed.REJECTED,
    408: Missed.UNREACHABLE,
    485: Missed.WRONG_NUMBER,
    486: Missed.BUSY,
    600: Missed.BUSY,
    603: Missed.REJECTED,
    604: Missed.WRONG_NUMBER,
}
# Q.850 cause, for an Asterisk that does not tell the status (before 22.7).
_BY_CAUSE = {
    # Asterisk may take a leg that was told 302 down before it has noted why: no cause, no status.
    0: Missed.DND,
    1: Missed.WRONG_NUMBER,
    17: Missed.BUSY,
    18: Missed.UNREACHABLE,
    19: Missed.NO_ANSWER,
    20: Missed.UNREACHABLE,
    21: Missed.REJECTED,
    23: Missed.DND,
}
# No person says so: somebody must look at the configuration.
ALARMING = {
    401: "the phone asks us for a password",
    403: "the phone forbids the call",
    404: "the phone knows no such user",
    407: "the phone asks us for a password",
    485: "the phone's address is ambiguous",
    488: "the phone accepts none of our codecs",
    604: "there is no such user",
    606: "the phone accepts none of our codecs",
}


def why_missed(end: LegEnd, ring_ms: int, *, undisturbed: bool = False, outside: bool = False) -> Missed:
    """Why nobody answered. `undisturbed`: the phone was idle, as far as we know, and did not even ring; then it is not
    busy but does not want to be disturbed. `outside`: behind a carrier 408 and 480 are phones that are switched off or
    ring unheard."""
    if end.lost:
        return Missed.FAILED
    if end.tech_cause == 480:
        return Missed.DND if ring_ms < DO_NOT_DISTURB_MS and not outside else Missed.NO_ANSWER
    why = _BY_STATUS.get(end.tech_cause, Missed.FAILED) if end.tech_cause else _BY_CAUSE.get(end.cause, Missed.FAILED)
    if outside and why is Missed.UNREACHABLE:
        return Missed.NO_ANSWER
    return Missed.DND if why is Missed.BUSY and undisturbed else why


def why_refused(status: int) -> Missed:
    """What Asterisk's refusal to dial says about the agent (Node.refusal)."""
    return Missed.UNREACHABLE if status == 500 else Missed.FAILED
