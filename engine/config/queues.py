"""dialplan/queues.yaml: the lines that people wait in (docs/queues.md)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from engine.acd import parse
from engine.acd.conditions import MEMBER_OF
from engine.config.names import AsKeys, Key, Name, Requirement
from engine.config.units import Seconds, Written

Strategy = Literal[
    "longest_idle",
    "least_occupied",
    "fewest_calls",
    "most_proficient",
    "round_robin",
    "random",
    "weighted",
    "linear",
]
# What a caller may press while waiting; the queue step's branch of that name says where it leads.
WayOut = Literal["callback", "voicemail", "leave"]


# As many phones as there are, and the most that ring at once for one caller.
ALL_PHONES = 0
AT_ONCE_AT_MOST = 20


def _phones(written: Any) -> int:
    """How many phones may ring at once."""
    if written == "all":
        return ALL_PHONES
    if not isinstance(written, int) or not 1 <= written <= AT_ONCE_AT_MOST:
        raise ValueError(f"{written!r} is none; write how many phones ring, 1 to {AT_ONCE_AT_MOST}, or `all`")
    return written


class Kind(Written):
    """What items of a kind take of an agent: `at_once` of them are as much as one person can do. A kind that
    `interrupts` may come while an agent has items of other kinds at hand. `weight`: what per cent of a person one of
    them takes; without it, one of n is an n-th. No more than 100 are at hand altogether."""

    at_once: int = Field(default=1, ge=1, le=100)
    weight: int | None = Field(default=None, ge=1, le=100)
    interrupts: bool = False


KINDS: Mapping[str, Kind] = {
    "voice": Kind(),
    "chat": Kind(at_once=3),
    "social": Kind(at_once=3),
    "sms": Kind(at_once=5),
    "email": Kind(at_once=5),
    "task": Kind(at_once=5),
}


class QueueStep(Written):
    """From `after` on, whoever meets `require` may take an item, beside those of the steps before. Of those who are
    ready, whoever meets the first of `prefer` is tried first."""

    after: Seconds = 0.0
    require: Requirement
    prefer: list[Requirement] = Field(default_factory=list)


class Announce(Written):
    """What is said between the music, and how often: the place in line, the wait to be expected. `keys`: a prompt that
    tells which keys may be pressed, said again after `keys_every`."""

    position: bool = True
    wait: bool = False
    every: Seconds = Field(default=30.0, gt=0)
    keys: Name | None = None
    keys_every: Seconds = Field(default=120.0, gt=0)


class CallingBack(Written):
    """How those are called who asked to be called back. `first`: the phone of an agent rings first, or the customer's,
    for `ring`; whoever answers there has `confirm` to press the key that a mailbox does not press.

    `tries` calls at the most, the first no sooner than `delay` after they have asked, the others `gap` apart; while
    `hours` (else the queue's) are open, and no later than `within` after they have asked. `trunk`: the only one that
    may carry them. `dial_ahead`: with the customer first, their phone may ring so long before an agent has wrapped up.
    """

    first: Literal["agent", "customer"] = "agent"
    ring: Seconds = Field(default=30.0, ge=1, le=120)
    confirm: Seconds = Field(default=15.0, ge=1, le=60)
    tries: int = Field(default=3, ge=1, le=20)
    delay: Seconds = 10.0
    gap: Seconds = Field(default=600.0, gt=0)
    within: Seconds = Field(default=3 * 86_400.0, gt=0)
    hours: Name | None = None
    trunk: Name | None = None
    dial_ahead: Seconds = Field(default=10.0, ge=0, le=30)

    @model_validator(mode="after")
    def _ahead_of_what(self) -> CallingBack:
        if self.first == "agent" and self.dial_ahead and "dial_ahead" in self.model_fields_set:
            raise ValueError(
                "`dial_ahead` needs `first: customer`: an agent who is first is rung when their wrap-up is over"
            )
        return self


class Queue(Written):
    """A line of waiting callers, who may answer them, and by which rules they are served.

    `require` is short for one step. Without either, the queue is served by those who name it in `queues`.
    """

    kind: Name = "voice"
    require: Requirement = ""
    prefer: list[Requirement] = Field(default_factory=list)
    steps: list[QueueStep] = Field(default_factory=list)
    strategy: Strategy = "longest_idle"
    ring: Seconds = Field(default=20.0, gt=0, le=180)
    ring_at_once: Annotated[int, BeforeValidator(_phones)] = 1
    not_ready_after: int = Field(default=3, ge=1, le=100)
    wrap_up: Seconds = 10.0
    last_agent: Seconds | None = None
    owner: Seconds | None = None
    head_start: Seconds = 0.0
    strict: int = Field(default=0, ge=0, le=9)
    served_within: Seconds | None = Field(default=None, gt=0)
    max_wait: Seconds = 600.0
    capacity: int | None = Field(default=None, ge=1)
    hours: Name | None = None
    closing: Literal["drain", "eject"] = "drain"
    place_kept: Seconds = 0.0
    callbacks: CallingBack | None = None
    keys: Annotated[dict[Key, WayOut], AsKeys] = Field(default_factory=dict)
    announce: Announce | None = None
    announce_position: Seconds | None = 30.0
    music: Name = "default"

    @cached_property
    def widening(self) -> tuple[QueueStep, ...]:
        """The steps, each with everybody of those before it: nobody loses an agent by waiting. What the queue prefers
        comes behind what the step does; a step that changes nothing is left out."""
        steps = self.steps or [QueueStep(require=self.require)]
        wide: list[QueueStep] = []
        for step in steps:
            before = f"({wide[-1].require}) | " if wide else ""
            require = parse(f"{before}({step.require})").text
            prefer = list(dict.fromkeys((*step.prefer, *self.prefer)))
            if not wide or (require, prefer) != (wide[-1].require, wide[-1].prefer):
                wide.append(QueueStep(after=step.after, require=require, prefer=prefer))
        return tuple(wide)

    @property
    def base(self) -> str:
        """Who may take an item of this queue at some time, whatever else is asked of them."""
        return self.widening[-1].require

    @cached_property
    def announcing(self) -> Announce | None:
        """What is said, by whichever of the two settings; None when nothing is."""
        said = self.announce
        if said is None and self.announce_position is not None:
            said = Announce(every=self.announce_position or self.max_wait)
        return said if said is not None and (said.position or said.wait or said.keys) else None

    @model_validator(mode="after")
    def _who(self) -> Queue:
        if bool(self.require) == bool(self.steps):
            raise ValueError("write either `require`, or `steps` when that changes with the wait")
        times = [step.after for step in self.steps]
        if times and (times[0] != 0 or times != sorted(set(times))):
            raise ValueError(
                "`steps`: the first has no `after`, and each of the others a later one than that before it"
            )
        return self

    @model_validator(mode="after")
    def _not_both(self) -> Queue:
        if self.announce is not None and "announce_position" in self.model_fields_set:
            raise ValueError("`announce_position` is short for `announce`: write one of them")
        if self.announce is not None and self.announce.keys and not self.keys:
            raise ValueError("`announce` tells of keys, and the queue has none: write `keys`, such as {'1': callback}")
        if self.closing == "eject" and self.hours is None:
            raise ValueError("`closing: eject` needs the name of a calendar: `hours: office`")
        if self.callbacks is not None and self.kind != "voice":
            raise ValueError(f"`callbacks` are phone calls, and `kind: {self.kind}` are none: remove one of them")
        return self

    @property
    def callback_hours(self) -> str | None:
        """The calendar while which people are called back; None for at any time."""
        return (self.callbacks.hours if self.callbacks is not None else None) or self.hours


class QueuesFile(Written):
    """dialplan/queues.yaml"""

    queues: dict[Name, Queue] = Field(min_length=1)
    kinds: dict[Name, Kind] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _served_by_members(cls, file: Any) -> Any:
        queues = file.get("queues") if isinstance(file, dict) else None
        if not isinstance(queues, dict):
            return file
        return file | {"queues": {name: _with_members(name, queue) for name, queue in queues.items()}}

    @model_validator(mode="after")
    def _one_caller_at_once(self) -> QueuesFile:
        if self.all_kinds()["voice"].at_once > 1:
            raise ValueError("`kinds: {voice: {at_once: …}}` is 1: one person talks with one caller")
        return self

    def all_kinds(self) -> dict[str, Kind]:
        """Those that there are anyway, changed as it is written, and those that are written."""
        changed = {
            name: KINDS[name].model_copy(update=kind.model_dump(exclude_unset=True)) if name in KINDS else kind
            for name, kind in self.kinds.items()
        }
        return {**KINDS, **changed}


def _with_members(name: Any, queue: Any) -> Any:
    queue = {} if queue is None else queue  # `desk:` with nothing behind it
    if isinstance(queue, dict) and not {"require", "steps"} & queue.keys():
        return queue | {"require": f"{MEMBER_OF}{name}"}
    return queue
