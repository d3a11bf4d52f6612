"""What callers leave behind, and what becomes of it."""

from engine.journal.events.event import Event, event


@event("voicemail.left")
class VoicemailLeft(Event):
    """Becomes a row in the database. `number` is E.164 or ""."""

    voicemail: str
    box: str
    number: str
    length_ms: int


@event("voicemail.heard")
class VoicemailHeard(Event):
    voicemail: str
    by: str


@event("voicemail.deleted")
class VoicemailDeleted(Event):
    voicemail: str
    by: str


@event("callback.requested")
class CallbackRequested(Event):
    """Becomes a row in the database, unless one for this number and queue is open already."""

    callback: str
    queue: str
    number: str
    placed_ms: int = 0
    head_start_ms: int = 0
    require: str = ""
    language: str = "zh-CN"


@event("callback.dialled")
class CallbackDialled(Event):
    """The customer's phone is called; `agent` is reserved meanwhile."""

    callback: str
    agent: str
    number: str
    trunk: str
    attempt: int


@event("callback.answered")
class CallbackAnswered(Event):
    """By somebody or something; `answered_by` is the call that it has become."""

    callback: str
    answered_by: str
    ring_ms: int


@event("callback.confirmed")
class CallbackConfirmed(Event):
    """The customer has pressed the key."""

    callback: str


@event("callback.failed")
class CallbackFailed(Event):
    """A try has come to nothing; `again_ms` is when the next one may be, 0 for never."""

    callback: str
    reason: str
    attempt: int
    again_ms: int
    cause: int | None = None
    tech_cause: int | None = None


@event("callback.moved")
class CallbackMoved(Event):
    """To another queue, by hand; what was before is told of its item there."""

    callback: str
    queue: str
    came_from: str


@event("callback.closed")
class CallbackClosed(Event):
    """`state`: done, failed, merged or cancelled. `by` whose hand, or "" for the engine's."""

    callback: str
    state: str
    by: str


@event("survey.answered")
class SurveyAnswered(Event):
    """Becomes a row in the database. `question` is the name of the step, `score` the key."""

    question: str
    score: int


@event("message.queued")
class MessageQueued(Event):
    """Its text is nobody's business but the receiver's."""

    message: str
    to: str


@event("message.delivered")
class MessageDelivered(Event):
    message: str
    tries: int


@event("message.failed")
class MessageFailed(Event):
    """Given up: refused by the endpoint, or too old."""

    message: str
    reason: str
