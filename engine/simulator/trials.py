"""dialplan/tests/*.yaml: calls that must go where the admin says, so that a change of the flows cannot break them
unseen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field

from engine.acd import parse
from engine.config.names import Language, Requirement
from engine.config.site import Site
from engine.config.source import Fault, SiteError, Source
from engine.config.units import Seconds, Written
from engine.flow.expression import as_text
from engine.simulator.answers import BadAnswers, Identity, read_answers
from engine.simulator.call import Dialled, NotOurs, ours, simulate
from engine.simulator.caller import Script
from engine.simulator.keys import BadKeys, read_keys
from engine.simulator.ordered import BadOrders, Ordered
from engine.simulator.story import Story

# Stands in a path for any steps, or none.
ANY = "..."
SHANGHAI = ZoneInfo("Asia/Shanghai")

Values = str | bool | int | float


def _moment(value: Any) -> Any:
    """YAML makes a time of 2026-10-01 03:00:00, and text of 2026-10-01 03:00."""
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{str(value)!r} is no time; write 2026-10-01 03:00") from None


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Several = Annotated[list[str], BeforeValidator(_several)]


class Expected(Written):
    """What must come of it; what is not written is not looked at.

    `path`: every step, `...` for any in between. `hears`: in this order, others may lie between; a prompt's name, or
    words. `ends`: `queue`, `queue sales`, `agent 8001`, `number +8621…`, `hangup timed_out`,
    `caller_hung_up`.
    """

    path: Several | None = None
    hears: Several = Field(default_factory=list)
    hears_not: Several = Field(default_factory=list)
    ends: str | None = None
    require: Requirement | None = None
    head_start: Seconds | None = None
    music: str | None = None
    cause: int | None = None
    answered: bool | None = None
    language: Language | None = None
    variables: dict[str, Values] = Field(default_factory=dict)


class Call(Written):
    """A call and what must come of it; `after`, `orders`, `identity` and `http` as in `hotline simulate`.
    `identity` may also be the name of a JSON file beside this one."""

    caller: Annotated[str, Field(alias="from")] = "13800138000"
    number: Annotated[str, Field(alias="to")] = ""
    at: Annotated[datetime, BeforeValidator(_moment)]
    keys: str = ""
    identity: Any = None
    http: dict[str, Any] = Field(default_factory=dict)
    language: Language | None = None
    trunk: str = ""
    after: dict[str, str] = Field(default_factory=dict)
    orders: Ordered = Ordered()
    expect: Expected


class TestsFile(Written):
    """dialplan/tests/NAME.yaml"""

    __test__ = False  # pytest looks for classes of such names

    calls: dict[str, Call] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Trial:
    """One of them, and where it stands."""

    name: str
    place: str
    call: Call
    dialled: Dialled
    caller: Script


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it went; `differences` is empty when it went as expected."""

    trial: Trial
    differences: tuple[str, ...]
    story: Story

    def data(self) -> dict[str, Any]:
        """For JSON."""
        trial = self.trial
        return {
            "name": trial.name,
            "place": trial.place,
            "ok": not self.differences,
            "differences": self.differences,
            "story": self.story.data(),
        }


def read_trials(site: Site) -> list[Trial]:
    """Every test of a site. Raises SiteError with every fault, each at its file and line."""
    trials: list[Trial] = []
    faults: list[Fault] = []
    for path in sorted((site.folder / "dialplan/tests").glob("*.yaml")):
        try:
            source = Source(path, site.folder)
            file = source.model(TestsFile)
        except SiteError as error:
            faults += error.faults
            continue
        for name, call in file.calls.items():
            try:
                trials.append(_trial(site, source, name, call))
            except BadKeys as error:
                faults.append(source.fault(("calls", name, "keys"), str(error)))
            except BadAnswers as error:
                faults.append(source.fault(("calls", name, "identity"), str(error)))
            except BadOrders as error:
                faults.append(source.fault(("calls", name, "orders"), str(error)))
            except NotOurs as error:
                faults.append(source.fault(("calls", name, "to"), str(error)))
    if faults:
        raise SiteError(faults)
    return trials


def _trial(site: Site, source: Source, name: str, call: Call) -> Trial:
    zone = next((calendar.zone for calendar in site.calendars.values()), SHANGHAI)
    identity = call.identity
    if isinstance(identity, str):
        identity = read_answers(site.folder / "dialplan/tests" / identity)
    dialled = Dialled(
        number=call.number or next(iter(site.hotline.numbers)),
        caller=call.caller,
        at=call.at if call.at.tzinfo else call.at.replace(tzinfo=zone),
        language=call.language or "",
        trunk=call.trunk,
        identity=identity,
        http=call.http,
        after=call.after,
        orders=call.orders.standing(site),
    )
    ours(site, dialled.number)
    Identity(identity, lambda _: None)
    fault = source.fault(("calls", name), "")
    return Trial(name, f"{fault.file}:{fault.line}", call, dialled, Script(read_keys(call.keys)))


def play_all(site: Site, trials: Iterable[Trial]) -> list[Verdict]:
    """Plays them one after the other."""
    return [_played(site, trial) for trial in trials]


def _played(site: Site, trial: Trial) -> Verdict:
    story = simulate(site, trial.dialled, trial.caller)
    return Verdict(trial, tuple(_differences(trial.call.expect, story)), story)


def _differences(expected: Expected, story: Story) -> Iterator[str]:
    if expected.path is not None and not _matches(expected.path, story.path):
        yield f"path     expected {' → '.join(expected.path)}"
        yield f"         got      {' → '.join(story.path)}{_first_difference(expected.path, story.path)}"
    yield from _unheard(expected, story)
    if expected.ends is not None and str(story.end) != expected.ends and story.end.kind != expected.ends:
        yield f"ends     expected {expected.ends}"
        yield f"         got      {story.end} ({story.end.why})"
    require = parse(expected.require).text if expected.require else None
    facts: dict[str, object] = {"require": require, "music": expected.music, "cause": expected.cause}
    facts |= {"head_start_s": expected.head_start, "answered": expected.answered}
    for name, value in facts.items():
        got = story.end.facts.get(name)
        if value is not None and got != value:
            yield f"{name:8} expected {value}, got {'nothing' if got is None else got} ({story.end})"
    if expected.language is not None and story.language != expected.language:
        yield f"language expected {expected.language}, got {story.language}"
    for name, wanted in expected.variables.items():
        if as_text(story.variables.get(name)) != as_text(wanted):
            yield f"variable {name}: expected {as_text(wanted)!r}, got {as_text(story.variables.get(name))!r}"


def _unheard(expected: Expected, story: Story) -> Iterator[str]:
    said = [f"{'/'.join(heard.prompts)} “{heard.words}”" for heard in story.heard]
    rest = 0
    for wanted in expected.hears:
        found = next((n for n in range(rest, len(said)) if _hears(story, n, wanted)), None)
        if found is None:
            before = " behind what was heard before" if rest else ""
            yield f"hears    expected {wanted}{before}"
            yield f"         got      {'; '.join(said) or 'nothing'}"
            return
        rest = found
    for unwanted in expected.hears_not:
        if any(_hears(story, n, unwanted) for n in range(len(said))):
            yield f"hears    {unwanted}, which it should not"


def _hears(story: Story, number: int, wanted: str) -> bool:
    heard = story.heard[number]
    names = {name for prompt in heard.prompts for name in (prompt, prompt.partition("@")[0])}
    return wanted in names or wanted in heard.words


def _matches(wanted: Sequence[str], path: Sequence[str]) -> bool:
    if not wanted:
        return not path
    if wanted[0] == ANY:
        return any(_matches(wanted[1:], path[skipped:]) for skipped in range(len(path) + 1))
    return bool(path) and path[0] == wanted[0] and _matches(wanted[1:], path[1:])


def _first_difference(wanted: Sequence[str], path: Sequence[str]) -> str:
    for number, step in enumerate(wanted):
        if step == ANY:
            return ""
        if number >= len(path) or path[number] != step:
            return f" (differs at {step})"
    return f" (goes on at {path[len(wanted)]})" if len(path) > len(wanted) else ""
