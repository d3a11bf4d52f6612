"""Callers prove who they are by keys: every branch, and what they keyed in is nowhere afterwards."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.config.models import IdentitySettings
from engine.config.site import Site
from engine.flow.steps import Ended, read_step
from engine.flow.steps.verify import Verify
from engine.identity.attempts import Attempt, Standing
from engine.identity.contract import Customer, Member, Outcome, Route
from engine.identity.endpoint import Answer
from engine.identity.numbers import normalise
from tests.unit.flow.scripted import ScriptedLeg, Walked, default_site, visit_of, walk
from tests.unit.nobody import services_of

ID_CARD = "11010519491231002X"
BY_KEYS = ID_CARD.replace("X", "*")
OK = Answer(Outcome.OK, Customer(id="C7001", name="张三", tier="VIP", attributes={"level": "gold"}), ms=7)
WRONG, UNKNOWN = Answer(Outcome.REJECTED), Answer(Outcome.NOT_FOUND)


class Words:
    """Every prompt there may be, each of which says its own name."""

    def find(self, name: str, language: str) -> str:
        return name

    def text(self, name: str, language: str) -> str:
        return name


@cache
def site() -> Site:
    return replace(default_site(), sounds=Words())  # type: ignore[arg-type]


@dataclass
class Endpoint:
    """Gives these answers one after the other, the last of them again and again."""

    answers: list[Answer]
    asked: list[Member | None] = field(default_factory=list)

    async def look_up(self, *_: Any, member: Member | None = None, **__: Any) -> Answer:
        self.asked.append(member)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


@dataclass
class Counter:
    """Attempts that stand as they are told to, and who they were of."""

    standing: Standing = Standing.FREE
    log: list[tuple[str, Attempt]] = field(default_factory=list)

    async def take(self, attempt: Attempt, limits: Any) -> Standing:
        self.log.append(("take", attempt))
        return self.standing

    def give_back(self, attempt: Attempt) -> None:
        self.log.append(("give back", attempt))

    def proved(self, attempt: Attempt) -> None:
        self.log.append(("proved", attempt))

    @property
    def did(self) -> list[str]:
        return [what for what, _ in self.log]


async def verify(
    keys: str | list[str],
    *answers: Answer,
    counter: Counter | None = None,
    caller: str = "13800138000",
    verify: list[str] | None = None,
    **settings: Any,
) -> tuple[Walked, Endpoint]:
    """A caller who presses `keys` ("." is one who waits too long) in a `verify` step whose outcomes are steps."""
    outcomes = [*(outcome.value for outcome in Outcome), "gave_up"]
    steps: dict[str, Any] = {
        "check": {"verify": verify or ["member", "pin"], "when": {o: f"was_{o}" for o in outcomes}, **settings},
        **{f"was_{o}": {"hangup": "flow_hangup"} for o in outcomes},
    }
    endpoint = Endpoint(list(answers) or [OK])
    services = services_of(identity=endpoint, attempts=counter or Counter())
    pressed = ["" if key == "." else key for key in keys]
    walked = await walk(pressed, steps, services=services, site=site(), caller=normalise(caller))
    return walked, endpoint


def outcome_of(walked: Walked) -> str:
    assert isinstance(walked.end, Ended)
    return walked.entered[-1].removeprefix("main/was_")


async def test_what_is_keyed_in_is_what_the_endpoint_is_asked() -> None:
    walked, endpoint = await verify(f"1001#{BY_KEYS}2468#", verify=["member", "id_card", "pin"])
    assert outcome_of(walked) == "ok"
    assert endpoint.asked == [Member(id="1001", id_card=ID_CARD, pin="2468")]
    assert walked.leg.heard == ["enter-member-number", "enter-id-card", "enter-pin"]


async def test_only_what_the_step_lists_is_asked_for_and_in_its_order() -> None:
    walked, endpoint = await verify("2468#1001#", verify=["pin", "member"])
    assert endpoint.asked == [Member(id="1001", pin="2468")]
    assert walked.leg.heard == ["enter-pin", "enter-member-number"]


async def test_whoever_is_verified_is_known() -> None:
    walked, _ = await verify("1001#2468#")
    assert walked.variables["customer.name"] == "张三"
    assert walked.variables["customer.level"] == "gold"
    assert walked.variables["customer.verified"] is True
    (identified,) = [payload for kind, payload in walked.notes if kind == "call.identified"]
    assert identified["customer"] == {"name": "张三", "tier": "VIP"}, "an id may be what was keyed in"


@pytest.mark.parametrize("answer", [WRONG, UNKNOWN])
async def test_whoever_is_not_verified_may_try_again_until_the_tries_are_used_up(answer: Answer) -> None:
    walked, endpoint = await verify("1#1111#2#2222#3#3333#4#4444#", answer)
    assert outcome_of(walked) == answer.outcome
    assert [member and member.pin for member in endpoint.asked] == ["1111", "2222", "3333"]
    assert walked.leg.heard.count("not-verified") == 3
    assert "customer.verified" not in walked.variables


async def test_a_right_try_after_a_wrong_one_is_right() -> None:
    walked, _ = await verify("1#1111#1#2222#", WRONG, OK)
    assert outcome_of(walked) == "ok"


@pytest.mark.parametrize("outcome", ["locked", "timeout", "unavailable", "invalid"])
async def test_what_another_try_would_not_change_is_not_tried_again(outcome: str) -> None:
    walked, endpoint = await verify("1#1111#1#2222#", Answer(Outcome(outcome)))
    assert outcome_of(walked) == outcome
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("keys", [[], [*"1001#", "", "", ""], [*"1001#1", "", *"2", "", *"3", ""]])
async def test_whoever_keys_nothing_or_too_little_in_gives_up(keys: list[str]) -> None:
    walked, endpoint = await verify(keys)
    assert outcome_of(walked) == "gave_up"
    assert endpoint.asked == []


async def test_too_little_is_asked_for_again() -> None:
    walked, _ = await verify("1001#12#2468#")
    assert outcome_of(walked) == "ok"
    assert walked.leg.heard == ["enter-member-number", "enter-pin", "too-short", "enter-pin"]


async def test_a_mistyped_id_card_number_costs_no_request_and_no_try() -> None:
    counter = Counter()
    walked, endpoint = await verify("110105194912310021" + BY_KEYS, verify=["id_card"], counter=counter)
    assert outcome_of(walked) == "ok"
    assert endpoint.asked == [Member(id_card=ID_CARD)]
    assert counter.did == ["take", "proved"]
    assert walked.leg.heard == ["enter-id-card", "not-verified", "enter-id-card"]


async def test_a_caller_with_no_right_id_card_number_gives_up() -> None:
    walked, endpoint = await verify("110105194912310021" * 3, verify=["id_card"])
    assert outcome_of(walked) == "gave_up"
    assert endpoint.asked == []


@pytest.mark.parametrize("used_up", [Standing.CALL, Standing.NUMBER, Standing.ACCOUNT])
async def test_without_a_try_left_nobody_is_asked(used_up: Standing) -> None:
    walked, endpoint = await verify("1001#2468#", counter=Counter(used_up))
    assert outcome_of(walked) == "locked"
    assert endpoint.asked == []
    (verified,) = [payload for kind, payload in walked.notes if kind == "verify.finished"]
    assert verified["detail"] == f"too many wrong tries of this {used_up}"


async def test_when_nobody_can_count_nobody_may_try() -> None:
    walked, endpoint = await verify("1001#2468#", counter=Counter(Standing.UNKNOWN))
    assert outcome_of(walked) == "unavailable"
    assert endpoint.asked == []


@pytest.mark.parametrize(
    ("answer", "did"),
    [
        (OK, ["take", "proved"]),
        (WRONG, ["take"]),
        (UNKNOWN, ["take"]),
        (Answer(Outcome.LOCKED), ["take"]),
        (Answer(Outcome.TIMEOUT), ["take", "give back"]),
        (Answer(Outcome.UNAVAILABLE), ["take", "give back"]),
        (Answer(Outcome.INVALID), ["take", "give back"]),
    ],
)
async def test_a_try_counts_if_somebody_judged_it(answer: Answer, did: list[str]) -> None:
    counter = Counter()
    await verify("1001#2468#", answer, counter=counter, tries=1)
    assert counter.did == did


async def test_tries_are_counted_of_the_number_and_of_the_account_keyed_in() -> None:
    counter = Counter()
    await verify("1001#2468#", counter=counter)
    attempt = counter.log[0][1]
    assert (attempt.call_id, attempt.number, attempt.account) == ("1abc", "+8613800138000", "member 1001")


async def test_a_hidden_caller_is_nobodys_counter() -> None:
    counter = Counter()
    await verify("1001#2468#", counter=counter, caller="anonymous")
    assert counter.log[0][1].number == ""


async def test_a_pin_alone_is_of_the_customer_whom_the_number_told() -> None:
    counter = Counter()
    steps = {"check": {"verify": ["pin"]}, "end": {"hangup": "flow_hangup"}}
    services = services_of(identity=Endpoint([OK]), attempts=counter)
    known: dict[str, Any] = {"customer.id": "C7001"}
    await walk([*"2468#"], steps, services=services, site=site(), **known)
    assert counter.log[0][1].account == "customer C7001"


async def test_the_limits_are_those_of_the_site() -> None:
    seen: list[Any] = []

    class Looking(Counter):
        async def take(self, attempt: Attempt, limits: Any) -> Standing:
            seen.append(limits)
            return await super().take(attempt, limits)

    settings = IdentitySettings.model_validate({"url": "http://x/", "attempts": {"account": 2, "within": "1d"}})
    there = site()
    there = replace(there, hotline=there.hotline.model_copy(update={"identity": settings}))
    steps = {"check": {"verify": ["pin"]}}
    await walk([*"2468#"], steps, services=services_of(identity=Endpoint([OK]), attempts=Looking()), site=there)
    assert (seen[0].account, seen[0].within) == (2, 86_400)


async def test_the_route_of_the_answer_is_obeyed_unless_the_step_says_no() -> None:
    routed = replace(OK, route=Route.model_validate({"action": "queue", "target": "sales"}))
    for obey, end in ((True, "ToQueue"), (False, "HangUp")):
        walked, _ = await verify("1001#2468#", routed, obey=obey)
        assert type(walked.end).__name__ == end


@given(
    number=st.from_regex(r"[2-9][0-9]{8,11}", fullmatch=True),
    pin=st.from_regex(r"[0-9]{7,12}", fullmatch=True),
    answer=st.sampled_from([OK, WRONG, UNKNOWN, Answer(Outcome.TIMEOUT), Answer(Outcome.LOCKED)]),
)
async def test_nothing_of_what_was_keyed_in_is_anywhere(number: str, pin: str, answer: Answer) -> None:
    said: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logging.getLogger().addHandler(listening := Listening())
    try:
        walked, endpoint = await verify(f"{number}#{BY_KEYS}{pin}#", answer, verify=["member", "id_card", "pin"])
    finally:
        logging.getLogger().removeHandler(listening)
    assert endpoint.asked, "the test has proved nothing"
    left = orjson.dumps([walked.notes, dict(walked.variables), said, repr(walked.visit), repr(endpoint.asked)])
    for secret in (number, pin, ID_CARD, BY_KEYS):
        assert secret.encode() not in left


@pytest.mark.parametrize(
    ("settings", "keys", "left"),
    [
        ({"max": 12}, "2468#1", ["1"]),  # typed ahead, for the menu that follows
        ({"max": 4}, "246813", []),  # two more than the PIN may have: what would they be to a menu?
        ({"max": 4}, "2468#", []),
        ({"min": 6}, "24#35", []),  # too little, and whatever came behind it
    ],
)
async def test_keys_behind_a_pin_that_was_full_answer_no_menu(
    settings: dict[str, int], keys: str, left: list[str]
) -> None:
    leg = ScriptedLeg()
    for key in keys:  # all at once, before the endpoint has answered
        leg.digits.press(key)
    step = read_step({"verify": ["pin"], "pin": settings, "tries": 1})
    await step.run(visit_of(leg, services=services_of(identity=Endpoint([OK])), site=site()))
    assert list(iter(leg.digits.take, None)) == left


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"verify": []}, "at least 1"),
        ({"verify": ["password"]}, "'member', 'id_card' or 'pin'"),
        ({"verify": ["pin", "pin"]}, "can be asked for once"),
        ({"verify": ["id_card"], "id_card": {"end": "*"}}, "'#' or ''"),
        ({"verify": ["id_card"], "id_card": {"max": 20}}, "should be 18"),
        ({"verify": ["pin"], "pin": {"min": 9, "max": 4}}, "more than"),
        ({"verify": ["pin"], "tries": 0}, "greater than or equal to 1"),
        ({"verify": ["pin"], "when": {"wrong": "x"}}, "is no outcome"),
    ],
)
def test_a_step_that_cannot_work_is_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        read_step(wrong)


def test_times_are_written_as_everywhere() -> None:
    step = read_step({"verify": ["id_card"], "id_card": {"first": "12s", "total": "90s"}})
    assert isinstance(step, Verify)
    assert (step.id_card.first, step.id_card.total, step.pin.total) == (12.0, 90.0, 30.0)


def test_the_checker_knows_every_prompt() -> None:
    step = read_step({"verify": ["pin", "member"], "pin": {"ask": ["welcome"]}})
    assert step.prompts() == ["welcome", "enter-member-number", "no-input", "too-short", "not-verified"]
