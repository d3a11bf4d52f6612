"""What every step has in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.config.units import Written
from engine.flow.leg import Leg


@dataclass(frozen=True, slots=True)
class Next:
    """Go on: at the named step, or (None) at the one below in the file."""

    step: str | None
    outcome: str


@dataclass(frozen=True, slots=True)
class ToQueue:
    """Leave the flow for a queue; come back at `branches[outcome]` when no agent was reached."""

    queue: str
    require: str | None
    branches: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HangUp:
    """Leave the flow for good."""

    reason: str


Outcome = Next | ToQueue | HangUp


# Where in its step a target is written, and the target: ("keys", "1"), "sales".
Target = tuple[tuple[str, ...], str]


@dataclass(slots=True)
class Visit:
    """What a step may see and use of its call. The call owns it; a step keeps nothing of its own."""

    leg: Leg
    say: Callable[..., Awaitable[bool]]
    look_up: Callable[[], Awaitable[str]]
    note: Callable[..., None]
    variables: dict[str, Any] = field(default_factory=dict)


class Step(Written):
    """One box of a flow. The key that names its kind holds its settings; `then` is where it goes on."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """The step's key in the file."""

    @abstractmethod
    async def run(self, visit: Visit) -> Outcome:
        """Do it to the caller. Raises HungUp."""

    def targets(self) -> Iterator[Target]:
        """Steps that this one may go to, for the checker."""
        return iter(())

    def prompts(self) -> Sequence[str]:
        """Prompts that this step may play, for the checker."""
        return ()

    def queues(self) -> Sequence[str]:
        """Queues that this step may send to, for the checker."""
        return ()
