"""The steps a flow is made of, one file each."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator, Tag, TypeAdapter

from engine.flow.steps.announcement import Announcement
from engine.flow.steps.area import Area
from engine.flow.steps.base import CallFlow, Departure, Enter, Next, Outcome, Step, ToQueue
from engine.flow.steps.base import HangUp as Ended
from engine.flow.steps.call import Call
from engine.flow.steps.callback import Callback
from engine.flow.steps.collect import Collect
from engine.flow.steps.condition import If
from engine.flow.steps.extension import Extension
from engine.flow.steps.goto import Goto
from engine.flow.steps.hangup import Hangup
from engine.flow.steps.hours import Hours
from engine.flow.steps.http import Http
from engine.flow.steps.list import List
from engine.flow.steps.lookup import Lookup
from engine.flow.steps.menu import Menu
from engine.flow.steps.message import Message
from engine.flow.steps.number import Number
from engine.flow.steps.play import Play
from engine.flow.steps.queue import Queue
from engine.flow.steps.say import Say
from engine.flow.steps.set import Set
from engine.flow.steps.survey import Survey
from engine.flow.steps.switch import Switch
from engine.flow.steps.verify import Verify
from engine.flow.steps.voicemail import Voicemail

STEPS: tuple[type[Step], ...] = (
    Play,
    Say,
    Menu,
    Collect,
    If,
    Switch,
    Set,
    Goto,
    Call,
    Lookup,
    Verify,
    Http,
    Hours,
    Announcement,
    Area,
    List,
    Queue,
    Extension,
    Number,
    Voicemail,
    Callback,
    Survey,
    Message,
    Hangup,
)
KINDS = {step.kind: step for step in STEPS}


def _kind(step: Any) -> str | None:
    """The first key that names a kind: several kinds have settings of the name of another."""
    if isinstance(step, dict):
        return next((key for key in step if key in KINDS), None)
    return getattr(step, "kind", None)


if TYPE_CHECKING:
    AnyStep = Step
else:
    AnyStep = Annotated[
        reduce(or_, (Annotated[step, Tag(step.kind)] for step in STEPS)),
        Discriminator(
            _kind,
            custom_error_type="unknown_step",
            custom_error_message=f"a step needs one of these keys: {', '.join(KINDS)}",
        ),
    ]

_adapter: TypeAdapter[Step] = TypeAdapter(AnyStep)


def read_step(written: dict[str, Any]) -> Step:
    """One step as it may stand in a file. Raises pydantic.ValidationError."""
    return _adapter.validate_python(written)


__all__ = [
    "KINDS",
    "AnyStep",
    "CallFlow",
    "Departure",
    "Ended",
    "Enter",
    "Next",
    "Outcome",
    "Step",
    "ToQueue",
    "read_step",
]
