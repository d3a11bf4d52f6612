"""The JSON between the engine and a company's identity endpoint: version 1, described in docs/identity.md.

The endpoint is somebody else's program, so its answer is data to be checked: sizes are capped, unknown fields
dropped, and what will stand in a SIP header, a log line or a routing decision may hold no control characters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    StringConstraints,
    model_validator,
)

from engine.acd.requirements import parse

VERSION: Final = 1


class Outcome(StrEnum):
    """How a look-up ended: what the endpoint said, or the way in which it failed to."""

    OK = "ok"
    NOT_FOUND = "not_found"
    REJECTED = "rejected"
    LOCKED = "locked"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    INVALID = "invalid"


class Action(StrEnum):
    QUEUE = "queue"
    AGENT = "agent"
    EXTENSION = "extension"
    FLOW = "flow"
    NUMBER = "number"
    PLAY = "play"
    VOICEMAIL = "voicemail"
    HANGUP = "hangup"


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_WIDE_SPACE = re.compile(r"[\u00a0\u2000-\u200a\u3000]")
# Each kind of target as it may stand in a routing decision, a dial string or a file's name: nothing that could end
# it and begin another.
_DIALLABLE = re.compile(r"\+?[0-9*#]{1,32}")
_NAMED = re.compile(r"[A-Za-z0-9_-]{1,40}")
_PROMPT = re.compile(r"[A-Za-z0-9_-]{1,64}(@[A-Za-z-]{2,10})?")


def _line(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("control characters are not allowed here")
    return _WIDE_SPACE.sub(" ", _INVISIBLE.sub("", text)).strip()


def _text(text: str) -> str:
    return _CONTROL.sub(" ", text)


Name = Annotated[str, StringConstraints(max_length=64), AfterValidator(_line)]
Line = Annotated[str, StringConstraints(max_length=256), AfterValidator(_line)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_line)]
Text = Annotated[str, StringConstraints(max_length=1024, strict=True), AfterValidator(_text)]
Integer = Annotated[int, Field(ge=-(2**63), lt=2**63)]  # what the journal's JSON can hold exactly
Value = Text | bool | Integer | FiniteFloat | None
Values = Annotated[dict[Key, Value], Field(max_length=64)]


def _prompt(text: str) -> str:
    if text and not _PROMPT.fullmatch(text):
        raise ValueError("must be the name of a prompt")
    return text


def _requirement(text: str) -> str:
    if text:
        parse(text)
    return text


class _Received(BaseModel):
    """Numbers where the contract says text are taken as text: ids come as numbers from many a CRM."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True, use_attribute_docstrings=True)


class Customer(_Received):
    """Who the caller is."""

    id: Name = ""
    """The company's own id of the customer."""
    name: Name = ""
    """Shown on the agent's phone."""
    tier: Name = ""
    """A name under `tiers` in hotline.yaml: its head start, its music."""
    attributes: Values = {}
    """More about the customer, for the flow (`customer.NAME`)."""


class Route(_Received):
    """Where the company wants the call. Without an action the flow goes its way, and the other fields hold for
    whichever queue it leads to."""

    action: Action | None = None
    """What to do now."""
    target: Name = ""
    """What to do it with: the name of a queue, flow, prompt or mailbox, an agent's id, an extension, a number."""
    priority: Annotated[FiniteFloat, Field(ge=0, le=86_400)] = 0.0
    """A head start in seconds: 300 counts as having waited five minutes already."""
    require: Annotated[Line, AfterValidator(_requirement)] = ""
    """A skill expression that the agent must meet: `mandarin>=3 & billing`."""
    announce: Annotated[Name, AfterValidator(_prompt)] = ""
    """A prompt to play before the caller waits."""

    @model_validator(mode="after")
    def _target_fits_action(self) -> Route:
        match self.action:
            case None | Action.HANGUP:
                return self
            case Action.NUMBER | Action.EXTENSION:
                fits, wanted = _DIALLABLE.fullmatch(self.target), "digits"
            case Action.PLAY:
                fits, wanted = _PROMPT.fullmatch(self.target), "the name of a prompt"
            case Action.VOICEMAIL if not self.target:
                return self
            case _:
                fits, wanted = _NAMED.fullmatch(self.target), "a name of letters, digits, - and _"
        if not self.target:
            raise ValueError(f"action {self.action} needs a target")
        if not fits:
            raise ValueError(f"the target of action {self.action} must be {wanted}")
        return self


class Reply(_Received):
    """What the endpoint answers. Unknown fields are ignored."""

    status: Literal["ok", "not_found", "rejected", "locked"]
    """`ok`: known. `rejected`: not to be served, or a wrong PIN. `locked`: too many wrong tries."""
    customer: Customer | None = None
    route: Route | None = None
    variables: Values = {}
    """For the flow, under their own names."""


class _Sent(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class CallerFacts(_Sent):
    """What the telephone network says."""

    number: str
    """E.164; "" when it is hidden or none (only with `event: member`)."""
    presentation: Literal["allowed", "restricted", "unavailable"]
    area: str
    """Where the number is from, "" if unknown."""
    carrier: str
    """Who first gave the number out, "" if unknown; it may have been ported since."""


class Member(_Sent):
    """What the caller keyed in to prove who they are: only what the flow asks for."""

    id: str | None = Field(default=None, repr=False)
    """Member, customer or account number."""
    id_card: str | None = Field(default=None, repr=False)
    """Resident identity number, 18 characters, its check character verified (GB 11643)."""
    pin: str | None = Field(default=None, repr=False)


class Request(_Sent):
    """What the hotline posts."""

    version: Literal[1] = VERSION
    call_id: str
    event: Literal["caller", "member"]
    """`caller`: whose number is this? `member`: is this who they say?"""
    caller: CallerFacts
    dialled: str
    """The hotline's number that was called."""
    member: Member | None = None
    """Only with `event: member`."""
    variables: Mapping[str, Value]
    """What the flow has collected so far."""
    timestamp: int
    """Milliseconds since the epoch; the same that is signed."""
