"""Every step, on every kind of leg, with a caller who presses the same keys at the same moments: the same outcome, at
the same moment, with the same values, the same words and the same keys left over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from engine.flow.steps import KINDS, Outcome, read_step
from engine.flow.visit import Visit, caller_facts
from engine.hours import Calendar
from engine.http.self_service import Answered as HttpAnswered
from engine.http.self_service import Outcome as HttpOutcome
from engine.identity.contract import Customer
from engine.identity.contract import Outcome as Answered
from engine.identity.endpoint import Answer
from engine.identity.numbers import normalise
from engine.orders import AnnouncementOrder
from engine.simulator.clock import VirtualLoop
from tests.unit.flow.deciding import AREAS, CALENDARS, FRIDAY_MORNING, LISTS, standing
from tests.unit.flow.office import Boxes, Letters
from tests.unit.flow.scripted import default_site
from tests.unit.flow.telephones import TELEPHONES
from tests.unit.nobody import services_of

ANSWERS_AFTER_S = 2.5


@dataclass(frozen=True)
class Case:
    """A step, as it stands in a flow, and the keys that the caller lets go, each at its second."""

    about: str
    step: Mapping[str, Any]
    keys: Sequence[tuple[float, str]] = ()
    known: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{next(iter(self.step))}: {self.about}"


def number(keys: str, *, begins_at: float, every: float = 0.3) -> list[tuple[float, str]]:
    """Keys, one after the other."""
    return [(begins_at + n * every, key) for n, key in enumerate(keys)]


MENU = {"menu": ["welcome", "menu-main"], "keys": {"1": "sales", "2": "service"}, "tries": 2, "then": "operator"}
ORDER = {"collect": "order", "ask": ["enter-order-number"], "min": 3, "max": 6}

CASES = [
    Case("to its end", {"play": ["welcome", "goodbye"]}),
    Case("cut short, and the key is kept", {"play": ["welcome", "goodbye"]}, [(1.4, "5")]),
    Case("not to be cut short, and the key is kept", {"play": ["welcome"], "interruptible": False}, [(0.4, "5")]),
    Case("keys forgotten", {"play": ["welcome"], "keep": False}, [(0.4, "5")]),
    Case("values between prompts", {"say": ["your-balance-is", {"money": "{balance}"}]}, known={"balance": "12.50"}),
    Case("what cannot be said", {"say": [{"money": "{balance}"}]}, known={"balance": "much"}),
    Case("a key after the question", MENU, [(3.0, "1")]),
    Case("a key in the question", MENU, [(0.5, "2")]),
    Case("typed ahead of the question", MENU, [(0.0, "2")]),
    Case("a wrong key, then a right one and one more", MENU, [(2.5, "9"), (3.0, "1"), (3.4, "4")]),
    Case("the same key twice", {**MENU, "keys": {"2": "service"}}, [(2.5, "1"), (2.8, "1"), (3.1, "2")]),
    Case("silence", MENU),
    Case("ended by the hash key", ORDER, number("4421#", begins_at=1.5)),
    Case("complete, and the hash key behind it", ORDER, number("442100#7", begins_at=0.5)),
    Case("too short, then silence", ORDER, number("44#", begins_at=1.5)),
    Case("confirmed", {**ORDER, "confirm": "digits"}, [*number("4421#", begins_at=1.2), (13.0, "1")]),
    Case("true", {"if": "balance > 10", "then": "a", "else": "b"}, known={"balance": 12}),
    Case("a case", {"switch": "customer.tier", "cases": {"VIP": "a"}, "then": "b"}, known={"customer.tier": "VIP"}),
    Case("a value", {"set": {"twice": "balance * 2"}}, known={"balance": 12}),
    Case("elsewhere", {"goto": "sales"}),
    Case("another flow", {"call": "survey"}),
    Case("known, after a while, with a key meanwhile", {"lookup": "caller"}, [(1.7, "3")]),
    Case("a member with a PIN", {"verify": ["member", "pin"]}, number("1001#1234#", begins_at=0.8)),
    Case("nothing keyed in", {"verify": ["member"], "tries": 1}),
    Case(
        "an answer, after a while, with a key meanwhile",
        {"http": "https://crm.example.com/balance", "save": {"balance": "data.balance"}},
        [(1.7, "3")],
    ),
    Case("closed", {"hours": "office", "when": {"closed": "night"}}),
    Case("switched on", {"announcement": "banner-incident"}, [(0.2, "1")]),
    Case("a group", {"area": "group", "when": {"north": "beijing"}}),
    Case("listed", {"list": "vip"}),
    Case("to wait", {"queue": "sales"}),
    Case("keyed in", {"extension": "keyed"}, number("8001#", begins_at=1.3)),
    Case("unknown", {"extension": "keyed", "tries": 1}, number("9#", begins_at=1.3)),
    Case("outside", {"number": "+862188881234"}),
    Case("ended by a key", {"voicemail": "night"}, [(8.0, "#")]),
    Case("ended by silence", {"voicemail": "night"}),
    Case("on this number", {"callback": "sales"}, [(1.5, "1")]),
    Case("on another number", {"callback": "sales"}, [(1.5, "2"), *number("13900139000#", begins_at=3), (25.0, "1")]),
    Case("an answer", {"survey": ["survey-ask"]}, [(1.5, "4")]),
    Case("no answer", {"survey": ["survey-ask"]}),
    Case("handed over", {"message": {"to": "{caller.number}", "text": "您好"}}),
    Case("ended", {"hangup": "rejected"}),
]


def test_there_is_a_case_for_every_step() -> None:
    assert {next(key for key in case.step if key in KINDS) for case in CASES} == set(KINDS)


class Endpoint:
    """The company's, which takes its time."""

    async def look_up(self, *_: Any, **__: Any) -> Answer:
        await asyncio.sleep(ANSWERS_AFTER_S)
        return Answer(Answered.OK, Customer(name="张三", tier="VIP"))

    async def ask(self, _: Any) -> HttpAnswered:
        await asyncio.sleep(ANSWERS_AFTER_S)
        return HttpAnswered(HttpOutcome.OK, {"data": {"balance": "12.50"}})


@dataclass
class Result:
    """All that a flow can tell of a step, and the second of its end."""

    end: Outcome
    ended_at: float
    variables: dict[str, Any]
    notes: list[tuple[str, dict[str, Any]]]
    keys_left: str
    up: bool


async def run(case: Case, telephone_of: str) -> Result:
    loop = asyncio.get_running_loop()
    telephone = TELEPHONES[telephone_of]()
    await telephone.begin()
    notes: list[tuple[str, dict[str, Any]]] = []
    visit = _visit(case, telephone.leg, notes)
    step = read_step(dict(case.step))
    for at, key in case.keys:
        loop.call_at(at, telephone.press, key)
    await asyncio.sleep(0)  # a key at second 0 has been pressed already
    async with asyncio.timeout(300):
        if not step.silent:
            await visit.answered()
        end = await step.run(visit)
    ended_at = round(loop.time(), 2)
    await asyncio.sleep(60)  # whoever presses late does so
    left = "".join(iter(telephone.leg.digits.take, None))
    return Result(end, ended_at, visit.variables, notes, left, telephone.leg.up)


def _visit(case: Case, leg: Any, notes: list[tuple[str, dict[str, Any]]]) -> Visit:
    caller = normalise("13800138000")
    site = replace(
        default_site(),
        calendars={name: Calendar(name, each) for name, each in CALENDARS.items()},
        areas=AREAS,
        lists={name: each.read(name) for name, each in LISTS.items()},
    )
    endpoint = Endpoint()
    boxes = Boxes()
    boxes.spoken_s = 5.0
    banner = AnnouncementOrder(name="banner-incident")
    services = services_of(
        identity=endpoint, http=endpoint, voicemail=boxes, messages=Letters(), orders=standing(banner)
    )
    return Visit(
        leg=leg,
        site=site,
        services=services,
        note=lambda event, /, **payload: notes.append((event.TYPE, payload)),
        caller=caller,
        call_id="1abc",
        dialled="4008001234",
        variables={**caller_facts(caller, dialled="4008001234"), **case.known},
        now=lambda: FRIDAY_MORNING,
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_step_gives_the_same_result_on_every_leg(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda length: "0" * 2 * length)
    results = {}
    for telephone in TELEPHONES:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            results[telephone] = runner.run(run(case, telephone))
    assert results["AGI"] == results["ARI"]
    assert results["simulator"] == results["ARI"]
