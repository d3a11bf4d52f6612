"""A call, from its arrival to its row: who it was, with whom it was connected."""

from collections.abc import Mapping
from typing import Any

from engine.journal.events.event import Event, event
from engine.store.rows import CallRow


@event("call.arrived")
class CallArrived(Event):
    number: str
    dialled: str
    raw: str
    presentation: str
    area: str
    carrier: str
    trunk: str
    channel: str
    callback: str = ""  # of this callback: then it is we who have called


@event("call.answered")
class CallAnswered(Event):
    pass


@event("call.identified")
class CallIdentified(Event):
    outcome: str
    customer: Mapping[str, Any] | None
    ms: int
    cached: bool = False


@event("call.recovered")
class CallRecovered(Event):
    phase: str


@event("call.ended")
class CallEnded(Event):
    """The last event of a call; `record` becomes its one row in the database."""

    reason: str
    record: CallRow


@event("outside.dialled")
class OutsideDialled(Event):
    """An outside number (E.164), or a branch's phone: then the number is its extension, and there is no trunk."""

    number: str
    extension: str
    trunk: str


@event("outside.answered")
class OutsideAnswered(Event):
    number: str
    ring_ms: int


@event("outside.failed")
class OutsideFailed(Event):
    """Nobody was reached. `reason` is the step's outcome; `cause` Q.850 and `tech_cause` the SIP status, absent
    where there was none; `detail` why we did not even dial."""

    number: str
    reason: str
    ring_ms: int
    cause: int | None = None
    tech_cause: int | None = None
    detail: str = ""


@event("bridge.started")
class BridgeStarted(Event):
    """`outside` is whom the caller talks with when it is no agent."""

    bridge: str
    agent: str
    outside: str = ""


@event("bridge.ended")
class BridgeEnded(Event):
    talk_ms: int
    by: str
