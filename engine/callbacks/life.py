"""The life of a callback, from the moment in which somebody asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where a callback is; kept in its row, so that another engine can go on from there."""

    REQUESTED = "requested"  # somebody has asked; in a queue without `callbacks` people see to it by hand
    WAITING = "waiting"  # it has a place in its queue, or waits for the next try
    DIALLING = "dialling"  # an agent is reserved, and the customer's phone rings
    CONFIRMED = "confirmed"  # the customer has pressed the key
    BRIDGED = "bridged"  # the customer and an agent talk
    DONE = "done"  # they have talked, or somebody has called them by hand
    FAILED = "failed"  # nobody was reached, in all the tries that there are
    MERGED = "merged"  # the customer has called again, and that call has taken its place
    CANCELLED = "cancelled"  # by hand


# WAITING → REQUESTED: a reload has taken `callbacks` away from the queue. DIALLING and CONFIRMED → WAITING: the try has
# failed, or its engine has died. BRIDGED is over, one way only: whoever has talked is not called again.
TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.REQUESTED: frozenset({State.WAITING, State.DONE, State.FAILED, State.MERGED, State.CANCELLED}),
    State.WAITING: frozenset(
        {State.REQUESTED, State.DIALLING, State.DONE, State.FAILED, State.MERGED, State.CANCELLED}
    ),
    State.DIALLING: frozenset(
        {State.WAITING, State.CONFIRMED, State.DONE, State.FAILED, State.MERGED, State.CANCELLED}
    ),
    State.CONFIRMED: frozenset({State.WAITING, State.BRIDGED, State.DONE, State.FAILED, State.MERGED, State.CANCELLED}),
    State.BRIDGED: frozenset({State.DONE}),
    State.DONE: frozenset(),
    State.FAILED: frozenset(),
    State.MERGED: frozenset(),
    State.CANCELLED: frozenset(),
}

CLOSED = frozenset(state for state, after in TRANSITIONS.items() if not after)


class IllegalTransition(Exception):  # noqa: N818 - said of the transition
    """A callback was told to do what its life does not allow."""


def check(before: State, after: State) -> None:
    """Raises IllegalTransition unless `after` may follow `before`."""
    if after not in TRANSITIONS[before]:
        raise IllegalTransition(f"a callback that is {before} cannot become {after}")
