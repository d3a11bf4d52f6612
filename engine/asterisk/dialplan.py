"""A step as the dialplan writes it: `AGI(${AGI}/collect,order,ask=enter-order-number,max=12)`; and its results, as
the dialplan reads them.

The first argument is what stands behind the step's own key in a flow, or `flow/step`: the step that is written there.
The others are `setting=value`; the parts of a list are joined by `&`, as in the dialplan's own Playback(a&b).

HOTLINE_OUTCOME: how it ended, one of the outcomes that the step has in a flow. HOTLINE_STEP: where its flow would go
on, when the step is one of a flow. Every variable that it gave a value: `order` as HOTLINE_ORDER, `customer.tier` as
HOTLINE_CUSTOMER_TIER. A step that uses such a variable finds it there again, and may find the dialplan's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from engine.config.source import nearest
from engine.flow.expression import Variables, as_text
from engine.flow.flow import Flow
from engine.flow.reads import reads
from engine.flow.steps import KINDS, Next, Step, read_step
from engine.flow.steps.hours import Hours
from engine.flow.steps.list import List
from engine.sounds import LANGUAGES

if TYPE_CHECKING:
    from engine.config.site import Site

# The id of the call that was the caller's last errand: what they say afterwards, in a survey, is said of that one.
ERRAND_CALL = "HOTLINE_CALL"

Reader = Callable[[str], Any]

# Known of a caller once they have been looked up, and used by more than what is written in a step.
_KNOWN = frozenset(
    ("customer.id", "customer.name", "customer.tier", "route.priority", "route.require", "route.announce")
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_NAMED = re.compile(r"[^\s/]+/[^\s/]+")
# What text could do where the dialplan expands it: begin another expansion or expression, end a quoted string, add an
# argument.
_ACTIVE = re.compile(r'[${}\[\]"\\,|]')
# Where a flow goes on. In the dialplan that is the dialplan's to say.
_ELSEWHERE = ("when", "then")


class BadArguments(ValueError):  # noqa: N818 - said of what the admin wrote
    """What is wrong with the arguments, and what to write instead."""


def step_from(kind: str, arguments: Sequence[str], site: Site, readers: Mapping[str, Reader] | None = None) -> Step:
    """The step that is meant. `readers`: for settings that are written otherwise here than in a flow. Raises
    BadArguments."""
    if kind not in KINDS:
        raise BadArguments(f"no step `{kind}`{nearest(kind, KINDS)}")
    first, *others = arguments or ("",)
    if _NAMED.fullmatch(first):
        if others:
            raise BadArguments(f"`{first}` has its settings in its flow: `{others[0]}` cannot stand beside it")
        return _named(kind, first, site.flows)
    settings = dict(_setting(argument, kind, readers or {}) for argument in others)
    if first or kind not in settings:
        settings[kind] = _read(kind, first, kind, readers or {})
    try:
        step = read_step({kind: settings.pop(kind), **settings})
    except ValidationError as error:
        raise BadArguments("; ".join(_said(fault) for fault in error.errors())) from None
    _look_for(step, site)
    return step


def _look_for(step: Step, site: Site) -> None:
    """What a step names must be there, as the checker sees to it for those in flows."""
    places: tuple[tuple[str, Collection[str], Collection[str]], ...] = (
        ("queue", step.queues(), site.queues),
        ("calendar", [step.hours] if isinstance(step, Hours) else (), site.calendars),
        ("list", [step.list] if isinstance(step, List) else (), site.lists),
    )
    for what, named, there in places:
        for name in named:
            if name not in there:
                raise BadArguments(f"no {what} `{name}`{nearest(name, there)}")


def _named(kind: str, place: str, flows: Mapping[str, Flow]) -> Step:
    flow, _, name = place.partition("/")
    if flow not in flows:
        raise BadArguments(f"`{place}`: no flow `{flow}`{nearest(flow, flows)}")
    step = flows[flow].steps.get(name)
    if step is None:
        raise BadArguments(f"`{place}`: no such step in {flow}{nearest(name, flows[flow].steps)}")
    if step.kind != kind:
        raise BadArguments(f"`{place}` is a `{step.kind}`, not a `{kind}`")
    return step


def _setting(argument: str, kind: str, readers: Mapping[str, Reader]) -> tuple[str, Any]:
    name, equals, text = (part.strip() for part in argument.partition("="))
    if not equals:
        raise BadArguments(f"`{argument}` is no `setting=value`")
    if name in _ELSEWHERE:
        raise BadArguments(f"`{name}`: where to go on is the dialplan's to say, by HOTLINE_OUTCOME")
    if name not in _settings(kind):
        raise BadArguments(f"`{name}` is no setting of `{kind}`{nearest(name, _settings(kind))}")
    return name, _read(name, text, kind, readers)


def _settings(kind: str) -> dict[str, FieldInfo]:
    """By the names that they have in a flow."""
    fields = {field.alias or name: field for name, field in KINDS[kind].model_fields.items()}
    return {name: field for name, field in fields.items() if name not in _ELSEWHERE}


def _read(name: str, text: str, kind: str, readers: Mapping[str, Reader]) -> Any:
    if name in readers:
        return readers[name](text)
    annotation = _settings(kind)[name].annotation
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
    return {*_KNOWN, *(name for name in reads(step) if _NAME.fullmatch(name))}


def results(result: Next, before: Variables, after: Variables) -> dict[str, str]:
    """The channel variables that say how a step has ended, and what it gave a value."""
    changed = {name: value for name, value in after.items() if before.get(name) != value and _NAME.fullmatch(name)}
    outcome = re.split(r"\W", result.outcome)[0]
    return {
        **{variable(name): as_text(value) for name, value in changed.items()},
        "HOTLINE_STEP": result.step or "",
        "HOTLINE_OUTCOME": outcome,
    }


def inert(text: str) -> str:
    """Text that means nothing but itself wherever the dialplan expands it."""
    return "".join(letter for letter in _ACTIVE.sub("", text) if letter.isprintable())


def language_of(said: str) -> str:
    """Ours that is nearest to Asterisk's: `zh` and `zh_CN` are zh-CN."""
    wanted = re.split("[-_]", said)[0].lower()
    return next((ours for ours in LANGUAGES if ours.split("-")[0] == wanted), LANGUAGES[0])
