"""A step as the arguments of a dialplan application: `AGI(${AGI}/collect,order,ask=enter-order-number,max=12)`.

The first argument is what stands behind the step's own key in a flow, or `flow/step`: the step that is written there.
The others are `setting=value`; the parts of a list are joined by `&`, as in the dialplan's own Playback(a&b).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from engine.flow.expression import Expression, Template
from engine.flow.flow import Flow
from engine.flow.steps import KINDS, Step, read_step

Reader = Callable[[str], Any]

# Known of a caller once they have been looked up, and used by more than what is written in a step.
_CUSTOMER = frozenset(("customer.id", "customer.name", "customer.tier"))
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_NAMED = re.compile(r"[^\s/]+/[^\s/]+")
# Where a flow goes on. In the dialplan that is the dialplan's to say.
_ELSEWHERE = ("when", "then")


class BadArguments(ValueError):  # noqa: N818 - said of what the admin wrote
    """What is wrong with the arguments, and what to write instead."""


def step_from(
    kind: str, arguments: Sequence[str], flows: Mapping[str, Flow], readers: Mapping[str, Reader] | None = None
) -> Step:
    """The step that is meant. `readers`: for settings that are written otherwise here than in a flow. Raises
    BadArguments."""
    first, *others = arguments or ("",)
    if _NAMED.fullmatch(first):
        if others:
            raise BadArguments(f"`{first}` has its settings in its flow: `{others[0]}` cannot stand beside it")
        return _named(kind, first, flows)
    settings = dict(_setting(argument, kind, readers or {}) for argument in others)
    if first or kind not in settings:
        settings[kind] = _read(kind, first, kind, readers or {})
    try:
        return read_step({kind: settings.pop(kind), **settings})
    except ValidationError as error:
        raise BadArguments("; ".join(_said(fault) for fault in error.errors())) from None


def _named(kind: str, place: str, flows: Mapping[str, Flow]) -> Step:
    flow, _, name = place.partition("/")
    if flow not in flows:
        raise BadArguments(f"`{place}`: no flow `{flow}`; there are {', '.join(flows)}")
    step = flows[flow].steps.get(name)
    if step is None:
        raise BadArguments(f"`{place}`: no such step; {flow} has {', '.join(flows[flow].steps)}")
    if step.kind != kind:
        raise BadArguments(f"`{place}` is a `{step.kind}`, not a `{kind}`")
    return step


def _setting(argument: str, kind: str, readers: Mapping[str, Reader]) -> tuple[str, Any]:
    name, equals, text = (part.strip() for part in argument.partition("="))
    if not equals:
        raise BadArguments(f"`{argument}` is no `setting=value`")
    if name in _ELSEWHERE:
        raise BadArguments(f"`{name}`: where to go on is the dialplan's to say, by HOTLINE_OUTCOME")
    if name not in KINDS[kind].model_fields:
        raise BadArguments(f"`{name}` is no setting of `{kind}`; there are {', '.join(_settings(kind))}")
    return name, _read(name, text, kind, readers)


def _settings(kind: str) -> list[str]:
    return [name for name in KINDS[kind].model_fields if name not in _ELSEWHERE]


def _read(name: str, text: str, kind: str, readers: Mapping[str, Reader]) -> Any:
    if name in readers:
        return readers[name](text)
    annotation = KINDS[kind].model_fields[name].annotation
    if any(get_origin(part) is list for part in (annotation, *get_args(annotation))):
        return [part for part in text.split("&") if part]
    return text


def _said(fault: Any) -> str:
    where = ".".join(str(part) for part in fault["loc"][1:] if part != "[key]")
    message = str(fault.get("ctx", {}).get("error", fault["msg"]))
    return f"`{where}`: {message}" if where else message


def variable(name: str) -> str:
    """The channel variable of a call's variable: HOTLINE_CUSTOMER_TIER of `customer.tier`."""
    return "HOTLINE_" + name.replace(".", "_").upper()


def names(step: Step) -> set[str]:
    """The call's variables that the step may look at."""
    return {*_CUSTOMER, *(name for name in _names(step) if NAME.fullmatch(name))}


def _names(written: Any) -> Iterator[str]:
    if isinstance(written, Template | Expression):
        yield from written.names
    elif isinstance(written, BaseModel):
        for _, value in written:
            yield from _names(value)
    elif isinstance(written, Mapping):
        for value in written.values():
            yield from _names(value)
    elif isinstance(written, list | tuple):
        for value in written:
            yield from _names(value)
