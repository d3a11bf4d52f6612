"""A call's events as sentences for telecom people: `hotline call ID` and the demo read them aloud.

One sentence per type of event, in one table. Digits are shown where they choose from a menu and nowhere else:
what a caller types to prove who they are is nobody's to read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.journal import events as e
from engine.journal.decided import chosen, is_next, priority_of, value
from engine.journal.events import Event
from engine.journal.spans import span

# Where a customer is who was called back, before they have pressed the key: in no step.
CALLED_BACK = "called_back"


@dataclass(slots=True)
class Context:
    """What a sentence may know beside its event: the agents' names, and the kind of step the caller is in."""

    names: Mapping[str, str] = field(default_factory=dict)
    step_kind: str = ""

    def agent(self, agent: str) -> str:
        """`8001 李雷`, or `8001` where no name is known."""
        return f"{agent} {self.names[agent]}" if self.names.get(agent) else agent


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline; `offset_s` counts from the call's first event."""

    offset_s: float
    text: str

    def __str__(self) -> str:
        return f"{self.offset_s:+9.3f} s  {self.text}"


class Timeline:
    """Reads one call's events in their order, as they come, and says a line for each."""

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self._context = Context(names or {})
        self._began_ms: int | None = None

    def line(self, event: Event) -> Line:
        """The line of the next event."""
        if self._began_ms is None:
            self._began_ms = event.at
        if isinstance(event, e.IvrNodeEntered):
            self._context.step_kind = event.kind
        elif isinstance(event, e.CallArrived) and event.callback:
            self._context.step_kind = CALLED_BACK
        return Line((event.at - self._began_ms) / 1000, describe(event, self._context))


def timeline(events: Iterable[Event], names: Mapping[str, str] | None = None) -> Iterator[Line]:
    """The lines of one call's events."""
    reader = Timeline(names)
    return (reader.line(event) for event in events)


def describe(event: Event, context: Context | None = None) -> str:
    """The event in plain English. Without a context agents have no names and digits stay hidden."""
    sentence = SENTENCES.get(type(event), _unknown)
    return sentence(event, context or Context())


def _arrived(event: e.CallArrived, _: Context) -> str:
    if event.presentation == "restricted":
        caller = "a caller who withholds their number"
    else:
        caller = event.number or event.raw or "a caller without a number"
    place = ", ".join(part for part in (event.area, event.carrier) if part)
    if event.callback:
        return f"we have called {event.number}{f' ({place})' if place else ''} back over trunk {event.trunk}"
    via = f" over trunk {event.trunk}" if event.trunk else ""
    return f"call to {event.dialled} from {caller}{f' ({place})' if place else ''}{via}"


def _identified(event: e.CallIdentified, _: Context) -> str:
    how = "from the cache" if event.cached else f"in {span(event.ms)}"
    result = f"identity endpoint: {_words(event.outcome)} {how}"
    if not event.customer:
        return result
    return f"{result} → {', '.join(_customer(event.customer)) or 'a customer without a name'}"


def _customer(customer: Mapping[str, Any]) -> Iterator[str]:
    return (str(customer[key]) for key in ("name", "tier") if customer.get(key))


def _played(event: e.IvrPlayed, _: Context) -> str:
    texts = " ".join(text for text in event.texts if text)
    said = f": “{texts}”" if texts else ""
    cut = f", interrupted by {_words(event.interrupted_by)}" if event.interrupted_by else ""
    return f"heard {' + '.join(event.prompts)} ({event.language}){said}{cut}"


def _digit(event: e.IvrDigit, context: Context) -> str:
    return (
        f"pressed {event.digit}"
        if context.step_kind in ("menu", "callback", CALLED_BACK)
        else "pressed a key (not shown)"
    )


def _entered(event: e.IvrEntered, _: Context) -> str:
    return f"keyed in {event.keys}" if event.keys else f"keyed in {event.length} keys (not shown)"


def _route(event: e.RouteObeyed, _: Context) -> str:
    wanted = f"the identity endpoint wants {event.action} {event.target}".rstrip()
    return wanted if event.obeyed else f"{wanted}, which is not possible: {event.detail}"


def _lookup(event: e.LookupFinished, _: Context) -> str:
    why = f" ({event.detail})" if event.detail else ""
    answer = f" → {_json(event.answer)}" if event.answer else ""
    return f"look-up: {_words(event.outcome)} in {span(event.ms)}{why}{answer}"


def _verified(event: e.VerifyFinished, _: Context) -> str:
    asked = ", ".join(_words(proof) for proof in event.asked)
    why = f" ({event.detail})" if event.detail else ""
    return f"verified by {asked}: {_words(event.outcome)} in {span(event.ms)}{why}"


def _asked(event: e.HttpFinished, _: Context) -> str:
    why = f" ({event.detail})" if event.detail else ""
    saved = f" → {', '.join(event.saved)}" if event.saved else ""
    return f"asked {event.url}: {_words(event.outcome)} in {span(event.ms)}{why}{saved}"


def _enqueued(event: e.ItemEnqueued, _: Context) -> str:
    head_start = f", counted as having waited {span(event.head_start_ms)}" if event.head_start_ms else ""
    place = f"at place {event.position}" if event.position else "and matched at once"
    ready = f"{event.ready} agent{'' if event.ready == 1 else 's'} ready"
    strict = f", strictly before others (level {event.strict})" if event.strict else ""
    return f"queued in {event.queue} {place}, needs {event.requirement}, {ready}{head_start}{strict}"


def _announced(event: e.ItemAnnounced, _: Context) -> str:
    place = f"their place in the queue: {event.position}" if event.position else ""
    wait = f"an expected wait of {span(event.low_ms)} to {span(event.high_ms)}" if event.high_ms else ""
    return f"heard {' and '.join(filter(None, (place, wait)))}"


def _offered(event: e.OfferCreated, context: Context) -> str:
    others = [_one(context.agent(c.agent), value(c)) for c in event.candidates if c.agent != event.agent]
    passed = [_one(context.agent(p.agent), PASSED.get(p.why) or _words(p.why)) for p in event.passed]
    priority = priority_of(event.head_start_ms, event.strict, urgent=event.urgent)
    parts = [f"{context.agent(event.agent)} {chosen(event)}"]
    if others:
        parts.append(f"{'next would be' if is_next(event) else 'also ready:'} {', '.join(others)}")
    if passed:
        parts.append(f"passed over {', '.join(passed)}")
    if priority:
        parts.append(f"its priority: {priority}")
    if event.attempt > 1:
        parts.append(f"offer {event.attempt}, after {span(event.wait_ms)} of waiting")
    return "; ".join(parts)


def _one(name: str, more: str) -> str:
    return f"{name} ({more})" if more else name


PASSED = {
    "excluded": "missed this caller before",
    "cooldown": "pausing after a missed call",
    "device_down": "phone not registered",
    "wrapup": "in wrap-up",
    "rings": "rings for this caller already",
    "no_capacity": "takes no calls",
    "less_preferred": "ready, but less preferred",
}

MISSED = {
    "busy": "was busy",
    "dnd": "does not want to be disturbed",
    "unconfirmed": "did not press the key",
    "wrong_number": "has no phone where the configuration says",
    "rejected": "rejected the call",
    "no_answer": "did not answer",
    "unreachable": "could not be reached",
    "failed": "could not be called",
}


def _missed(event: e.OfferMissed, context: Context) -> str:
    signs = []
    if event.tech_cause:
        signs.append(f"SIP {event.tech_cause}")
    if event.cause:
        signs.append(f"cause {event.cause}")
    why = f" ({', '.join(signs)})" if signs else ""
    missed = MISSED.get(event.reason, f"missed the call: {_words(event.reason)}")
    rang = f" after ringing {span(event.ring_ms)}" if event.ring_ms else ""
    keeps = "the caller keeps their"
    if _is_no_call(event):
        missed, keeps = missed.replace("the call", "it"), "it keeps its"
    return f"{context.agent(event.agent)} {missed}{rang}{why}; {keeps} place"


def _accepted(event: e.OfferAccepted, context: Context) -> str:
    if _is_no_call(event):
        return f"{context.agent(event.agent)} has taken it; it waited {span(event.wait_ms)}"
    rang = f"{context.agent(event.agent)} answered after ringing {span(event.ring_ms)}"
    return f"{rang}; the caller waited {span(event.wait_ms)}"


def _outside_dialled(event: e.OutsideDialled, _: Context) -> str:
    branch = f"branch {event.extension}" if event.extension else ""
    if not event.trunk:
        return f"calling {branch}"
    return f"calling {event.number}{f' ({branch})' if branch else ''} through {event.trunk}"


def _outside_failed(event: e.OutsideFailed, _: Context) -> str:
    signs = [event.detail and _words(event.detail)]
    signs += [f"SIP {event.tech_cause}" if event.tech_cause else "", f"cause {event.cause}" if event.cause else ""]
    why = ", ".join(sign for sign in signs if sign)
    rang = f" after {span(event.ring_ms)}" if event.ring_ms else ""
    return f"{event.number or 'nobody'} not reached: {_words(event.reason)}{rang}{f' ({why})' if why else ''}"


def _bridge_ended(event: e.BridgeEnded, _: Context) -> str:
    return f"talked for {span(event.talk_ms)}, ended by {event.by or 'nobody known'}"


def _wrapup(event: e.WrapupStarted, context: Context) -> str:
    return f"{context.agent(event.agent)} in wrap-up for {span(max(event.until - event.at, 0))}"


def _wrapup_changed(event: e.WrapupChanged, context: Context) -> str:
    left = f"lasts {span(event.until - event.at)} more" if event.until > event.at else "ended by hand"
    return f"wrap-up of {context.agent(event.agent)} {left}{_says(event.by, context)}"


def _says(by: str, context: Context) -> str:
    return f", says {context.agent(by)}" if by else ""


def _reprioritised(event: e.ItemReprioritised, context: Context) -> str:
    strict = f", strictly before others (level {event.strict})" if event.strict else ""
    return f"now counted as having waited {span(event.head_start_ms)} more{strict}, says {context.agent(event.by)}"


def _intent(event: e.AgentIntentChanged, context: Context) -> str:
    reason = f" ({_words(event.reason)})" if event.reason else ""
    return f"{context.agent(event.agent)} is now {_words(event.intent)}{reason}{_says(event.by, context)}"


def _skills(event: e.AgentSkillsChanged, context: Context) -> str:
    differing = ", ".join(f"{name} {level}" for name, level in event.skills.items())
    able = f"can now as configured{f', but {differing}' if differing else ''}"
    return f"{context.agent(event.agent)} {able}{_says(event.by, context)}"


def _callback_failed(event: e.CallbackFailed, _: Context) -> str:
    signs = [f"SIP {event.tech_cause}" if event.tech_cause else "", f"cause {event.cause}" if event.cause else ""]
    why = ", ".join(sign for sign in signs if sign)
    again = f"the next try comes in {span(max(event.again_ms - event.at, 0))}" if event.again_ms else "given up"
    return f"try {event.attempt} failed: {_words(event.reason)}{f' ({why})' if why else ''}; {again}"


def _nth(tries: int) -> str:
    return "" if tries == 1 else f" at try {tries}"


def _ended(event: e.CallEnded, _: Context) -> str:
    row = event.record
    figures = [f"{name} {span(ms)}" for name, ms in (("waited", row.wait_ms), ("talked", row.talk_ms)) if ms]
    return ", ".join([f"call ended: {_words(event.reason)}", *figures])


def _unknown(event: Event, _: Context) -> str:
    data = event.data if isinstance(event, e.UnknownEvent) else {}
    return f"{event.type} {_json(data)}"


def _is_no_call(event: Event) -> bool:
    return event.call.startswith("item-")


def _words(code: str) -> str:
    return code.replace("_", " ")


def _json(data: Mapping[str, Any]) -> str:
    return orjson.dumps(data).decode()


Sentence = Callable[[Any, Context], str]

SENTENCES: dict[type[Event], Sentence] = {
    e.CallArrived: _arrived,
    e.CallAnswered: lambda _, __: "answered",
    e.CallIdentified: _identified,
    e.CallRecovered: lambda event, _: f"taken over by an engine after a restart, while {_words(event.phase)}",
    e.CallEnded: _ended,
    e.IvrNodeEntered: lambda event, _: f"step {event.flow}/{event.step} ({_words(event.kind)})",
    e.IvrPlayed: _played,
    e.IvrDigit: _digit,
    e.IvrEntered: _entered,
    e.RouteObeyed: _route,
    e.IvrNodeExited: lambda event, _: f"left {event.flow}/{event.step}: {_words(event.outcome)}",
    e.LookupStarted: lambda event, _: f"asking {event.url}",
    e.LookupFinished: _lookup,
    e.VerifyFinished: _verified,
    e.HttpFinished: _asked,
    e.ItemAdded: lambda event, c: f"{event.what} for {event.queue} from {c.agent(event.by)}: {event.subject}",
    e.ItemEnqueued: _enqueued,
    e.ItemRefused: lambda event, _: f"not taken into {event.queue}: {_words(event.reason)}",
    e.ItemResumed: lambda event, _: f"has the place in {event.queue} back, after {span(event.wait_ms)} of waiting",
    e.ItemRelaxed: lambda event, _: f"after {span(event.wait_ms)} others may answer, too: {event.requirement}",
    e.ItemPolicyChanged: lambda event, _: f"its queue has changed: needs {event.requirement} from now on",
    e.ItemUrgent: lambda event, _: f"has waited {span(event.wait_ms)}: next before everybody else",
    e.ItemDeferred: lambda event, _: f"put back for a while: {_words(event.reason)}",
    e.ItemReturned: lambda event, _: f"waits in {event.queue} again",
    e.ItemAssigned: lambda event, c: f"given to {c.agent(event.agent)} by {c.agent(event.by)}",
    e.ItemReprioritised: _reprioritised,
    e.ItemTakenOut: lambda event, c: (
        f"taken out by {c.agent(event.by)}: {_words(event.reason)} {event.target}".rstrip()
    ),
    e.ItemRestored: lambda event, c: f"found talking with {c.agent(event.agent)} after Redis was emptied",
    e.ItemAnnounced: _announced,
    e.ItemEnded: lambda event, _: f"left the queue: {_words(event.reason)}",
    e.OfferCreated: _offered,
    e.OfferRinging: lambda event, c: (
        f"{'program' if _is_no_call(event) else 'phone'} of {c.agent(event.agent)} "
        f"{'shows it' if _is_no_call(event) else 'rings'}, {span(event.ms)} after the offer"
    ),
    e.OfferAccepted: _accepted,
    e.OfferMissed: _missed,
    e.OfferCancelled: lambda event, c: f"offer to {c.agent(event.agent)} taken back: {_words(event.reason)}",
    e.OutsideDialled: _outside_dialled,
    e.OutsideAnswered: lambda event, _: f"{event.number} answered after {span(event.ring_ms)}",
    e.OutsideFailed: _outside_failed,
    e.BridgeStarted: lambda event, c: f"talking with {event.outside or c.agent(event.agent)}",
    e.BridgeEnded: _bridge_ended,
    e.WrapupStarted: _wrapup,
    e.WrapupChanged: _wrapup_changed,
    e.WrapupEnded: lambda event, c: f"{c.agent(event.agent)} done with wrap-up",
    e.VoicemailLeft: lambda event, _: f"left a voicemail of {span(event.length_ms)} in {event.box}",
    e.VoicemailHeard: lambda event, c: f"{c.agent(event.by)} has listened to the voicemail",
    e.VoicemailDeleted: lambda event, c: f"the voicemail was deleted by {c.agent(event.by)}",
    e.CallbackRequested: lambda event, _: f"wants to be called back on {event.number} by {event.queue}",
    e.CallbackDialled: lambda event, c: (
        f"calling {event.number} back through {event.trunk} for {c.agent(event.agent)}{_nth(event.attempt)}"
    ),
    e.CallbackAnswered: lambda event, _: f"answered after {span(event.ring_ms)}: call {event.answered_by}",
    e.CallbackConfirmed: lambda _, __: "the customer has pressed the key: it is they who wanted to be called",
    e.CallbackFailed: _callback_failed,
    e.CallbackMoved: lambda event, _: f"the callback was moved from {event.came_from} to {event.queue}",
    e.CallbackClosed: lambda event, c: (
        f"the callback is {event.state}{f', says {c.agent(event.by)}' if event.by else ''}"
    ),
    e.SurveyAnswered: lambda event, _: f"answered {event.score} to {event.question}",
    e.MessageQueued: lambda event, _: f"a message to {event.to} waits to be sent",
    e.MessageDelivered: lambda event, _: f"the message was taken by its endpoint{_nth(event.tries)}",
    e.MessageFailed: lambda event, _: f"the message could not be sent: {event.reason}",
    e.AgentIntentChanged: _intent,
    e.AgentSkillsChanged: _skills,
    e.AgentDeviceChanged: lambda event, c: f"phone of {c.agent(event.agent)} is now {_words(event.device)}",
    e.EngineStarted: lambda event, _: f"engine {event.engine} started, version {event.version}",
    e.EngineStopped: lambda event, _: f"engine {event.engine} stopped".replace("  ", " "),
    e.ConfigLoaded: lambda event, _: f"the configuration is now version {event.version}",
    e.NodeUp: lambda event, _: f"Asterisk {event.node} is connected".replace("  ", " "),
    e.NodeDown: lambda event, _: f"Asterisk {event.node} is gone".replace("  ", " "),
}
