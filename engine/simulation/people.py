"""Who takes part in a day, and what is noted of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from engine.simulation.scenario import Duty


class Outcome(StrEnum):
    """How a call ended for its caller."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"  # hung up while waiting
    TIMED_OUT = "timed_out"  # the queue's max_wait
    REFUSED = "refused"  # not let in: full, or nobody there
    RELEASED = "released"  # sent on while waiting: nobody there, or closed
    UNSERVED = "unserved"  # still in line when nobody worked any more


@dataclass(slots=True)
class Call:
    """One caller of the day; what chance has decided of them is decided before anything happens to them."""

    id: str
    caller_class: str
    queue: str
    arrived_ms: int
    handle_ms: int
    patience_ms: int | None
    outcome: Outcome | None = None
    why: str = ""  # of those who were refused or released
    wait_ms: int = 0  # until an agent answered, or the caller left
    agent: str = ""
    offers: int = 0
    ignored: int = 0  # of the offers
    ringing: dict[str, str] = field(default_factory=dict)  # agents by the tokens of the offers under way


@dataclass(slots=True)
class AtWork:
    """One agent's day. An agent is busy from the offer to the end of wrap-up, and else idle while ready."""

    id: str
    duty: Duty
    chance: Random
    ready: bool = False
    at_hand: int = 0
    since_ms: int = 0
    busy_ms: int = 0
    idle_ms: int = 0
    answered: int = 0
    ignored: int = 0
    set_not_ready: int = 0  # for having ignored too many in a row

    def pass_to(self, now_ms: int) -> None:
        """Books the time since the last change."""
        passed, self.since_ms = now_ms - self.since_ms, now_ms
        if self.at_hand > 0:
            self.busy_ms += passed
        elif self.ready:
            self.idle_ms += passed

    def turn(self, now_ms: int, *, ready: bool) -> None:
        """Ready from now on, or not."""
        self.pass_to(now_ms)
        self.ready = ready

    def take(self, now_ms: int) -> None:
        """Something has come to their hands."""
        self.pass_to(now_ms)
        self.at_hand += 1

    def put_down(self, now_ms: int) -> None:
        """… and is done with."""
        self.pass_to(now_ms)
        self.at_hand -= 1

    @property
    def occupancy(self) -> float | None:
        """The share of their time at work that they were busy; None for who was not there."""
        there = self.busy_ms + self.idle_ms
        return self.busy_ms / there if there else None

    def answers_in(self) -> int | None:
        """After how many ms they answer this offer; None when they let it ring out."""
        ignores, after = self.chance.random() < self.duty.ignores, self.duty.answers_after.draw(self.chance)
        return None if ignores else after
