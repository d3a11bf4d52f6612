"""Events on the wire.

There an event is one flat JSON object, `{"type": …, "call": …, "at": …, …payload}`. Redis functions write the same
objects from Lua, where an empty list may arrive as `{}` and a number as a string: decoding accepts both. An event that
this engine does not know, written by a newer one, is kept as `UnknownEvent`.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, get_type_hints

import orjson

from engine.journal.events.event import REGISTRY, Event
from engine.journal.events.offers import Candidate, Passed
from engine.store.rows import CallRow


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
        with suppress(KeyError, TypeError, ValueError, OverflowError):
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


def _candidate(told: Mapping[str, Any]) -> Candidate:
    return Candidate(_text(told["agent"]), *(_or_none(_integer)(told.get(name)) for name in _VALUES))


_VALUES = tuple(f.name for f in fields(Candidate))[1:]
_CONVERTERS: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    int: _integer,
    bool: _flag,
    str | None: _or_none(_text),
    int | None: _or_none(_integer),
    tuple[str, ...]: _list_of(_text),
    tuple[Candidate, ...]: _list_of(_candidate),
    tuple[Passed, ...]: _list_of(lambda p: Passed(_text(p["agent"]), _text(p["why"]))),
    Mapping[str, Any] | None: _or_none(_mapping),
    Mapping[str, int]: lambda skills: {_text(name): _integer(level) for name, level in dict(skills).items()},
    CallRow: CallRow.from_record,
}


def _shape(cls: type[Event]) -> tuple[tuple[str, Callable[[Any], Any], bool], ...]:
    hints = get_type_hints(cls)
    return tuple((f.name, _CONVERTERS[hints[f.name]], f.default is MISSING) for f in fields(cls))


# The package imports this module last, so that all of them are there.
_SHAPES = {cls: _shape(cls) for cls in REGISTRY.values()}
