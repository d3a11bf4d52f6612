"""The events of a call, typed and immutable, and their form on the wire.

On the wire an event is one flat JSON object, `{"type": …, "call": …, "at": …, …payload}`. Redis functions
write the same objects from Lua, where an empty list may arrive as `{}` and a number as a string: decoding
accepts both. An event that this engine does not know, written by a newer one, is kept as `UnknownEvent`.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, ClassVar, TypeVar, dataclass_transform, get_type_hints

import orjson

from engine.store.rows import CallRow

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a call. `call` is "" where no call is concerned; `at` is epoch ms."""

    TYPE: ClassVar[str] = ""
    PREFIX: ClassVar[bytes] = b""

    call: str
    at: int

    @property
    def type(self) -> str:
        """The name on the wire, such as `offer.created`."""
        return self.TYPE


REGISTRY: dict[str, type[Event]] = {}


@dataclass_transform(frozen_default=True)
def _event(name: str) -> Callable[[type[E]], type[E]]:
    def register(cls: type[E]) -> type[E]:
        made: Any = dataclass(frozen=True, slots=True)(cls)
        made.TYPE = name
        made.PREFIX = b'{"type":"%s",' % name.encode()
        REGISTRY[name] = made
        return made  # type: ignore[no-any-return]

    return register


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent who could have taken the offer, in the order of consideration."""

    agent: str
    idle_ms: int


@dataclass(frozen=True, slots=True)
class Passed:
    """An agent who was passed over, and why."""

    agent: str
    why: str


@_event("call.arrived")
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


@_event("call.answered")
class CallAnswered(Event):
    pass


@_event("call.identified")
class CallIdentified(Event):
    outcome: str
    customer: Mapping[str, Any] | None
    ms: int
    cached: bool = False


@_event("call.recovered")
class CallRecovered(Event):
    phase: str


@_event("call.ended")
class CallEnded(Event):
    """The last event of a call; `record` becomes its one row in the database."""

    reason: str
    record: CallRow


@_event("ivr.node_entered")
class IvrNodeEntered(Event):
    flow: str
    step: str
    kind: str


@_event("ivr.played")
class IvrPlayed(Event):
    prompts: tuple[str, ...]
    texts: tuple[str, ...]
    language: str
    interrupted_by: str | None = None


@_event("ivr.digit")
class IvrDigit(Event):
    digit: str


@_event("ivr.entered")
class IvrEntered(Event):
    """A number was keyed in; `keys` is empty when they are nobody's business."""

    keys: str
    length: int


@_event("ivr.route")
class RouteObeyed(Event):
    """The identity endpoint has said where the call should go; `detail` why it could not."""

    action: str
    target: str
    obeyed: bool
    detail: str = ""


@_event("ivr.node_exited")
class IvrNodeExited(Event):
    flow: str
    step: str
    outcome: str


@_event("lookup.started")
class LookupStarted(Event):
    url: str


@_event("lookup.finished")
class LookupFinished(Event):
    outcome: str
    ms: int
    answer: Mapping[str, Any] | None = None
    detail: str = ""


@_event("verify.finished")
class VerifyFinished(Event):
    """The caller has keyed in what `asked` names; nothing of it is here."""

    asked: tuple[str, ...]
    outcome: str
    ms: int
    detail: str = ""


@_event("http.finished")
class HttpFinished(Event):
    """`url`: as it is written in the flow, without the call's values. `saved`: the names of what was taken out."""

    url: str
    request: str
    outcome: str
    ms: int
    saved: tuple[str, ...] = ()
    detail: str = ""


@_event("item.added")
class ItemAdded(Event):
    """Something that is no call: `what` says what, such as email."""

    queue: str
    what: str
    subject: str
    by: str


@_event("item.enqueued")
class ItemEnqueued(Event):
    queue: str
    requirement: str
    head_start_ms: int
    position: int
    ready: int
    waited_ms: int = 0
    step: int = 1


@_event("item.refused")
class ItemRefused(Event):
    """The queue took nobody: full, no_agents, none_eligible, timed_out, closed."""

    queue: str
    reason: str


@_event("item.resumed")
class ItemResumed(Event):
    """Somebody has a place back that they abandoned a moment ago."""

    queue: str
    wait_ms: int


@_event("item.requirements_relaxed")
class ItemRelaxed(Event):
    """From now on others may take it, too. Step 0 is the preferred agent's."""

    step: int
    requirement: str
    wait_ms: int


@_event("item.urgent")
class ItemUrgent(Event):
    """It has waited as long as its class may at the most, and goes before everybody else."""

    wait_ms: int


@_event("item.deferred")
class ItemDeferred(Event):
    """Out of the line until then, at the same place afterwards."""

    reason: str
    until: int


@_event("item.returned")
class ItemReturned(Event):
    queue: str


@_event("item.assigned")
class ItemAssigned(Event):
    """Somebody gave it to an agent, or took it themselves."""

    agent: str
    by: str


@_event("item.reprioritised")
class ItemReprioritised(Event):
    head_start_ms: int
    strict: int
    by: str


@_event("item.taken_out")
class ItemTakenOut(Event):
    """By hand; `target` says where to, such as `queue:service`."""

    reason: str
    target: str
    by: str


@_event("item.restored")
class ItemRestored(Event):
    """After Redis was emptied: what this agent has been talking about all along."""

    agent: str


@_event("item.announced")
class ItemAnnounced(Event):
    position: int  # 0: only the wait
    low_ms: int = 0
    high_ms: int = 0  # 0: only the place


@_event("item.ended")
class ItemEnded(Event):
    reason: str
    target: str = ""


@_event("offer.created")
class OfferCreated(Event):
    token: str
    agent: str
    queue: str
    requirement: str
    idle_ms: int
    wait_ms: int
    attempt: int
    candidates: tuple[Candidate, ...] = ()
    passed: tuple[Passed, ...] = ()
    step: int = 1
    order: str = "longest_idle"
    free_in_ms: int = 0  # the agent still wraps up, for so long; 0: they are free


@_event("offer.ringing")
class OfferRinging(Event):
    token: str
    agent: str
    ms: int


@_event("offer.accepted")
class OfferAccepted(Event):
    token: str
    agent: str
    wait_ms: int
    ring_ms: int


@_event("offer.missed")
class OfferMissed(Event):
    """`cause` is Q.850 (ITU-T Q.850), `tech_cause` the SIP status (RFC 3261); absent where there was none."""

    token: str
    agent: str
    reason: str
    ring_ms: int
    cause: int | None = None
    tech_cause: int | None = None


@_event("offer.cancelled")
class OfferCancelled(Event):
    token: str
    agent: str
    reason: str


@_event("outside.dialled")
class OutsideDialled(Event):
    """An outside number (E.164), or a branch's phone: then the number is its extension, and there is no trunk."""

    number: str
    extension: str
    trunk: str


@_event("outside.answered")
class OutsideAnswered(Event):
    number: str
    ring_ms: int


@_event("outside.failed")
class OutsideFailed(Event):
    """Nobody was reached. `reason` is the step's outcome; `cause` Q.850 and `tech_cause` the SIP status, absent
    where there was none; `detail` why we did not even dial."""

    number: str
    reason: str
    ring_ms: int
    cause: int | None = None
    tech_cause: int | None = None
    detail: str = ""


@_event("bridge.started")
class BridgeStarted(Event):
    """`outside` is whom the caller talks with when it is no agent."""

    bridge: str
    agent: str
    outside: str = ""


@_event("bridge.ended")
class BridgeEnded(Event):
    talk_ms: int
    by: str


@_event("wrapup.started")
class WrapupStarted(Event):
    agent: str
    until: int


@_event("wrapup.changed")
class WrapupChanged(Event):
    """Extended, or cut short, by hand."""

    agent: str
    until: int


@_event("wrapup.ended")
class WrapupEnded(Event):
    agent: str


@_event("voicemail.left")
class VoicemailLeft(Event):
    """Becomes a row in the database. `number` is E.164 or ""."""

    voicemail: str
    box: str
    number: str
    length_ms: int


@_event("voicemail.heard")
class VoicemailHeard(Event):
    voicemail: str
    by: str


@_event("voicemail.deleted")
class VoicemailDeleted(Event):
    voicemail: str
    by: str


@_event("callback.requested")
class CallbackRequested(Event):
    """Becomes a row in the database, unless one for this number and queue is open already."""

    callback: str
    queue: str
    number: str
    placed_ms: int = 0
    head_start_ms: int = 0
    require: str = ""
    language: str = "zh-CN"


@_event("callback.dialled")
class CallbackDialled(Event):
    """The customer's phone is called; `agent` is reserved meanwhile."""

    callback: str
    agent: str
    number: str
    trunk: str
    attempt: int


@_event("callback.answered")
class CallbackAnswered(Event):
    """By somebody or something; `answered_by` is the call that it has become."""

    callback: str
    answered_by: str
    ring_ms: int


@_event("callback.confirmed")
class CallbackConfirmed(Event):
    """The customer has pressed the key."""

    callback: str


@_event("callback.failed")
class CallbackFailed(Event):
    """A try has come to nothing; `again_ms` is when the next one may be, 0 for never."""

    callback: str
    reason: str
    attempt: int
    again_ms: int
    cause: int | None = None
    tech_cause: int | None = None


@_event("callback.closed")
class CallbackClosed(Event):
    """`state`: done, failed, merged or cancelled. `by` whose hand, or "" for the engine's."""

    callback: str
    state: str
    by: str


@_event("survey.answered")
class SurveyAnswered(Event):
    """Becomes a row in the database. `question` is the name of the step, `score` the key."""

    question: str
    score: int


@_event("message.queued")
class MessageQueued(Event):
    """Its text is nobody's business but the receiver's."""

    message: str
    to: str


@_event("message.delivered")
class MessageDelivered(Event):
    message: str
    tries: int


@_event("message.failed")
class MessageFailed(Event):
    """Given up: refused by the endpoint, or too old."""

    message: str
    reason: str


@_event("agent.intent_changed")
class AgentIntentChanged(Event):
    agent: str
    intent: str
    reason: str = ""


@_event("agent.skills_changed")
class AgentSkillsChanged(Event):
    """What differs from the configuration from now on: queues that they joined (`queue:NAME` 1) or left (0)."""

    agent: str
    skills: Mapping[str, int]


@_event("agent.device_changed")
class AgentDeviceChanged(Event):
    agent: str
    device: str


@_event("engine.started")
class EngineStarted(Event):
    engine: str
    version: str


@_event("engine.stopped")
class EngineStopped(Event):
    engine: str = ""


@_event("config.loaded")
class ConfigLoaded(Event):
    """From now on calls begin with this version of the site."""

    version: str


@_event("node.up")
class NodeUp(Event):
    node: str = ""


@_event("node.down")
class NodeDown(Event):
    node: str = ""


@dataclass(frozen=True, slots=True)
class UnknownEvent(Event):
    """An event of a type, or of a shape, that this engine does not know: kept whole."""

    name: str
    data: Mapping[str, Any]

    @property
    def type(self) -> str:
        return self.name


def encode(event: Event) -> bytes:
    """The event as flat JSON. About a microsecond: some twenty of these are paid for by every call."""
    if isinstance(event, UnknownEvent):
        return orjson.dumps({"type": event.name, "call": event.call, "at": event.at, **event.data})
    try:
        return event.PREFIX + orjson.dumps(event)[1:]
    except TypeError:
        # orjson refuses the lone surrogates of a name in a broken encoding; no call ends for that.
        return event.PREFIX + json.dumps(asdict(event), ensure_ascii=False).encode("utf-8", "replace")[1:]


def decode(payload: bytes | str) -> Event:
    """The event of a journal entry; raises ValueError when the payload is not a JSON object."""
    data = orjson.loads(payload)
    if not isinstance(data, dict):
        raise ValueError(f"a journal entry is a JSON object, not {type(data).__name__}")  # noqa: TRY004
    return from_data(data)


def from_data(data: Mapping[str, Any]) -> Event:
    """The event of an already parsed journal entry, as the database keeps it."""
    name = str(data.get("type") or "")
    cls = REGISTRY.get(name)
    if cls is not None:
        shape = _SHAPES[cls]
        with suppress(KeyError, TypeError, ValueError):
            return cls(**{key: convert(data[key]) for key, convert, must in shape if must or key in data})
    rest = {key: value for key, value in data.items() if key not in ("type", "call", "at")}
    at = data.get("at")
    return UnknownEvent(str(data.get("call") or ""), at if isinstance(at, int) else 0, name, rest)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _integer(value: Any) -> int:
    return value if type(value) is int else int(float(value))


def _flag(value: Any) -> bool:
    return value not in (False, None, 0, "", "0", "false")


def _list_of(convert: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    # Lua has one kind of table: cjson writes an empty list as {}.
    return lambda value: tuple(convert(element) for element in value or ())


def _mapping(value: Any) -> Mapping[str, Any]:
    return dict(value)


def _or_none(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else convert(value)


_CONVERTERS: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    int: _integer,
    bool: _flag,
    str | None: _or_none(_text),
    int | None: _or_none(_integer),
    tuple[str, ...]: _list_of(_text),
    tuple[Candidate, ...]: _list_of(lambda c: Candidate(_text(c["agent"]), _integer(c["idle_ms"]))),
    tuple[Passed, ...]: _list_of(lambda p: Passed(_text(p["agent"]), _text(p["why"]))),
    Mapping[str, Any] | None: _or_none(_mapping),
    Mapping[str, int]: lambda skills: {_text(name): _integer(level) for name, level in dict(skills).items()},
    CallRow: CallRow.from_record,
}


def _shape(cls: type[Event]) -> tuple[tuple[str, Callable[[Any], Any], bool], ...]:
    hints = get_type_hints(cls)
    return tuple((f.name, _CONVERTERS[hints[f.name]], f.default is MISSING) for f in fields(cls))


_SHAPES = {cls: _shape(cls) for cls in REGISTRY.values()}
