"""What a caller does in the flows, and what is asked about them there."""

from collections.abc import Mapping
from typing import Any

from engine.journal.events.event import Event, event


@event("ivr.node_entered")
class IvrNodeEntered(Event):
    flow: str
    step: str
    kind: str


@event("ivr.played")
class IvrPlayed(Event):
    prompts: tuple[str, ...]
    texts: tuple[str, ...]
    language: str
    interrupted_by: str | None = None


@event("ivr.digit")
class IvrDigit(Event):
    digit: str


@event("ivr.entered")
class IvrEntered(Event):
    """A number was keyed in; `keys` is empty when they are nobody's business."""

    keys: str
    length: int


@event("ivr.route")
class RouteObeyed(Event):
    """The identity endpoint has said where the call should go; `detail` why it could not."""

    action: str
    target: str
    obeyed: bool
    detail: str = ""


@event("ivr.node_exited")
class IvrNodeExited(Event):
    flow: str
    step: str
    outcome: str


@event("lookup.started")
class LookupStarted(Event):
    url: str


@event("lookup.finished")
class LookupFinished(Event):
    outcome: str
    ms: int
    answer: Mapping[str, Any] | None = None
    detail: str = ""


@event("verify.finished")
class VerifyFinished(Event):
    """The caller has keyed in what `asked` names; nothing of it is here."""

    asked: tuple[str, ...]
    outcome: str
    ms: int
    detail: str = ""


@event("http.finished")
class HttpFinished(Event):
    """`url`: as it is written in the flow, without the call's values. `saved`: the names of what was taken out."""

    url: str
    request: str
    outcome: str
    ms: int
    saved: tuple[str, ...] = ()
    detail: str = ""
