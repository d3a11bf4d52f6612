"""What every step has in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from engine.config.units import Written
from engine.flow.visit import Visit

# A step of this flow, or `flow/step` of another.
Target = Annotated[str, StringConstraints(pattern=r"^[^\s/]+(/[^\s/]+)?$")]
# Where in its step a target is written, and the target: ("when", "closed"), "night/leave".
Written_ = tuple[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Next:
    """Go on: at the named step, or (None) at the one below in the file."""

    step: str | None
    outcome: str


@dataclass(frozen=True, slots=True)
class CallFlow:
    """Go through another flow, and come back (to `then`, or to the step below) when it has come to its end."""

    flow: str
    then: str | None = None
    outcome: str = "called"


@dataclass(frozen=True, slots=True)
class Enter:
    """Go on at the beginning of another flow."""

    flow: str
    outcome: str = "gone"


@dataclass(frozen=True, slots=True)
class HangUp:
    """Leave the flows for good. `cause`: ITU-T Q.850, what the carrier is told."""

    reason: str
    cause: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """Leave the flows for somebody, and perhaps come back: at `branches[outcome]`, else at `then`, else at the step
    below. Plain data: it is in the call's record while the caller is away."""

    branches: Mapping[str, str] = field(default_factory=dict)
    then: str | None = None

    def back(self, outcome: str) -> Next:
        """The way on when that has ended with `outcome` and the caller is still there."""
        return Next(self.branches.get(outcome, self.then), outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToQueue(Away):
    """Wait in a queue; `require` in place of the queue's own requirement. For `patience_s` seconds only the `preferred`
    agent may answer, while they are at work."""

    to: Literal["queue"] = "queue"
    queue: str
    require: str | None = None
    preferred: str = ""
    patience_s: float = 0.0

    def back(self, outcome: str) -> Next:
        """Whoever is not served goes where `timed_out` leads, unless why they were not has a branch of its own."""
        way = outcome if outcome in self.branches or outcome == "served" else "timed_out"
        return Next(self.branches.get(way, self.then), outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAgent(Away):
    """Wait for one agent, whoever else is free."""

    to: Literal["agent"] = "agent"
    agent: str
    ring_s: float
    patience_s: float
    wrap_up_s: float
    music: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToNumber(Away):
    """Call an outside number (as somebody wrote it; whether it may be dialled is decided by the call), or the phone
    of a branch: then there is an `extension` and no number. Without `music` the caller hears a ring-back tone."""

    to: Literal["number"] = "number"
    number: str
    extension: str = ""
    trunk: str | None = None
    ring_s: float
    music: str | None = None


_AWAY: dict[str, type[ToQueue | ToAgent | ToNumber]] = {"queue": ToQueue, "agent": ToAgent, "number": ToNumber}


def read_departure(data: Mapping[str, Any]) -> ToQueue | ToAgent | ToNumber:
    """A departure from the call's record. Raises TypeError, KeyError for what is none."""
    return _AWAY[data["to"]](**data)


Departure = ToQueue | ToAgent | ToNumber | HangUp
Outcome = Next | CallFlow | Enter | Departure


class Step(Written):
    """One box of a flow. The key that names its kind holds its settings.

    `when` leads each outcome that it names to a step, `then` all the others; without either, the call goes on at
    the step below.
    """

    kind: ClassVar[str]
    outcomes: ClassVar[tuple[str, ...]] = ()
    # A silent step neither speaks nor waits for keys: the call need not be answered for it.
    silent: ClassVar[bool] = False

    when: dict[str, Target] = Field(default_factory=dict)
    then: Target | None = None

    @abstractmethod
    async def run(self, visit: Visit) -> Outcome:
        """Do it to the caller. Raises HungUp."""

    def possible(self) -> Sequence[str]:
        """Every outcome that there may be."""
        return self.outcomes

    def told_apart(self) -> Sequence[str]:
        """The outcomes that lead somewhere as the step is written, for the checker and whoever draws it."""
        return self.possible()

    def go(self, outcome: str, detail: str = "") -> Next:
        """The way on after `outcome`; `detail` is for the timeline."""
        return Next(self.when.get(outcome, self.then), f"{outcome}: {detail}" if detail else outcome)

    @model_validator(mode="after")
    def _branches_exist(self) -> Step:
        possible = self.possible()
        for outcome in self.when:
            if outcome not in possible:
                known = f"it ends as {', '.join(possible)}" if possible else "it has only one; write `then`"
                raise ValueError(f"`when: {outcome}` is no outcome of `{self.kind}`: {known}")
        return self

    def targets(self) -> Iterator[Written_]:
        """Steps that this one may go to, for the checker."""
        for outcome, target in self.when.items():
            yield ("when", outcome), target
        if self.then:
            yield ("then",), self.then

    def goes_below(self) -> bool:
        """Whether some outcome leads to the step below, for the checker."""
        return self.then is None and (not self.possible() or any(o not in self.when for o in self.possible()))

    def prompts(self) -> Sequence[str]:
        """Prompts that this step may play, for the checker."""
        return ()

    def says_values(self) -> bool:
        """Whether this step may say a number, a date or the like (engine/speech), for the checker."""
        return False

    def queues(self) -> Sequence[str]:
        """Queues that this step may send to, for the checker."""
        return ()

    def flows(self) -> Iterator[Written_]:
        """Other flows that this step may enter, for the checker."""
        return iter(())

    def sets(self) -> Sequence[str]:
        """Variables that this step gives a value, for the checker."""
        return ()
