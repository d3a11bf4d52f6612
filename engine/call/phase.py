"""Where a call is in its life, and where it may go from there."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """What a call is doing; kept in its record, so that another engine can go on from there."""

    FLOW = "flow"
    WAITING = "waiting"
    DIALLING = "dialling"
    TALKING = "talking"
    ENDED = "ended"


# WAITING → FLOW: nobody was reached, the flow says what now. TALKING → WAITING: the agent was gone before the
# first word. TALKING → FLOW: the agent has left, and the flow has a word for the caller yet. Any phase may end:
# callers hang up when they like.
TRANSITIONS: dict[Phase, frozenset[Phase]] = {
    Phase.FLOW: frozenset({Phase.WAITING, Phase.DIALLING, Phase.ENDED}),
    Phase.WAITING: frozenset({Phase.FLOW, Phase.TALKING, Phase.ENDED}),
    Phase.DIALLING: frozenset({Phase.FLOW, Phase.TALKING, Phase.ENDED}),
    Phase.TALKING: frozenset({Phase.WAITING, Phase.FLOW, Phase.ENDED}),
    Phase.ENDED: frozenset(),
}


class IllegalTransition(Exception):  # noqa: N818 - said of the transition
    """A call was told to do what its life does not allow: a fault of ours."""


def check(before: Phase, after: Phase) -> None:
    """Raises IllegalTransition unless `after` may follow `before`."""
    if after not in TRANSITIONS[before]:
        raise IllegalTransition(f"a call cannot go from {before} to {after}")
