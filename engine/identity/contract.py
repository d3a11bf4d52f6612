"""The JSON between the engine and a company's identity endpoint: version 1, described in docs/identity.md.

The endpoint is somebody else's program, so its answer is data to be checked: sizes are capped, unknown fields
dropped, and what will stand in a SIP header, a log line or a routing decision may hold no control characters.
"""

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
_DIALLABLE = re.compile(r"\+?[0-9*#]{1,32}")


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


class _Received(BaseModel):
    """Numbers where the contract says text are taken as text: ids come as numbers from many a CRM."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)


class Customer(_Received):
    id: Name = ""
    name: Name = ""
    tier: Name = ""
    attributes: Values = {}


class Route(_Received):
    """Where the company wants the call.

    Without an action the flow goes its way, and `priority` (head start in seconds), `require` (skill
    expression) and `announce` (prompt) apply when the call is queued.
    """

    action: Action | None = None
    target: Name = ""
    priority: Annotated[FiniteFloat, Field(ge=0, le=86_400)] = 0.0
    require: Line = ""
    announce: Name = ""

    @model_validator(mode="after")
    def _target_fits_action(self) -> "Route":
        if self.action in (None, Action.HANGUP, Action.VOICEMAIL):
            return self
        if not self.target:
            raise ValueError(f"action {self.action} needs a target")
        # These two are dialled as they are: nothing that could end a dial string and begin another.
        dialled = self.action in (Action.NUMBER, Action.EXTENSION)
        if dialled and not _DIALLABLE.fullmatch(self.target):
            raise ValueError(f"the target of action {self.action} must be digits")
        return self


class Reply(_Received):
    """The endpoint's answer."""

    status: Literal["ok", "not_found", "rejected", "locked"]
    customer: Customer | None = None
    route: Route | None = None
    variables: Values = {}


class CallerFacts(BaseModel):
    number: str
    presentation: str
    area: str
    carrier: str


class Member(BaseModel):
    """What a caller keyed in to prove who they are."""

    id: str
    pin: str = Field(repr=False)


class Request(BaseModel):
    """What the engine posts. `timestamp` is in milliseconds since the epoch and equals the signed header."""

    version: Literal[1] = VERSION
    call_id: str
    event: Literal["caller", "member"]
    caller: CallerFacts
    dialled: str
    member: Member | None = None
    variables: Mapping[str, Value]
    timestamp: int
