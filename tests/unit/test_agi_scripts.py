"""The scripts that come with the hotline: what the dialplan writes, what the caller meets, what the dialplan finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from engine.asterisk import agi_scripts
from engine.asterisk.agi_session import Rooms
from engine.flow.flow import Flow
from engine.hours import Calendar
from engine.hours.written import CalendarsFile
from engine.identity.contract import Action, Customer, Outcome, Route
from engine.identity.endpoint import Answer, NoIdentity
from engine.identity.groups import AreasFile
from engine.journal.events import Event
from engine.orders.lists import ListsFile
from tests.unit.fake_asterisk import SHIPPED, FakeAsterisk, FakeSite, place, rooms

FLOWS = {
    "main": Flow.model_validate(
        {
            "steps": {
                "menu": {"menu": ["menu-main"], "keys": {"1": "sales", "2": "night/leave"}, "tries": 1},
                "sales": {"queue": "sales", "when": {"timed_out": "menu"}},
                "who": {"lookup": "caller"},
            }
        }
    )
}


SITE = FakeSite(
    flows=FLOWS,
    calendars={
        name: Calendar(
            name, CalendarsFile.model_validate({"calendars": {name: {"open": {"daily": open_}}}}).calendars[name]
        )
        for name, open_ in (("always", "24h"), ("never", "closed"))
    },
    lists={
        "vip": ListsFile.model_validate({"lists": {"vip": {"tier": "VIP", "numbers": {"13800138000": {}}}}})
        .lists["vip"]
        .read("vip")
    },
    areas=AreasFile.model_validate({"areas": {"north": {"provinces": ["北京"]}}}).areas,
)


def arguments(*said: str) -> dict[str, str]:
    return {f"arg_{n}": argument for n, argument in enumerate(said, 1)}


@asynccontextmanager
async def script(
    name: str, *said: str, of: Rooms | None = None, state: str = "Up", **facts: str
) -> AsyncIterator[FakeAsterisk]:
    """A call in one of the shipped scripts."""
    async with place(of=of or rooms(site=FakeSite(flows=FLOWS)), scripts=agi_scripts.load(SHIPPED)) as there:
        yield await there.call(state=state, network_script=name, **arguments(*said), **facts)


async def result(name: str, *said: str, **how: Any) -> dict[str, str]:
    """What a script sets that asks the caller nothing."""
    async with script(name, *said, **how) as asterisk:
        return await asterisk.obey()


def test_every_script_that_comes_with_the_hotline_can_be_loaded() -> None:
    with capture_logs() as logs:
        scripts = agi_scripts.load(SHIPPED)
    assert logs == []
    assert all(scripts.values())


# caller_lookup


class Endpoint(NoIdentity):
    """An identity endpoint that knows everybody, by names that mean harm."""

    async def look_up(self, *_: Any, **__: Any) -> Answer:
        return Answer(Outcome.OK, Customer(name='${SHELL(id)}"] & 张|三,1\\', tier="VIP"))


async def test_what_the_endpoint_calls_a_customer_cannot_act_in_the_dialplan() -> None:
    found = await result("caller_lookup", of=rooms(site=FakeSite(), identity=Endpoint()))
    assert found == {
        "HOTLINE_CUSTOMER_ID": "",
        "HOTLINE_CUSTOMER_NAME": "SHELL(id) & 张三1",
        "HOTLINE_CUSTOMER_TIER": "VIP",
        "HOTLINE_ROUTE_ACTION": "",
        "HOTLINE_ROUTE_TARGET": "",
        "HOTLINE_OUTCOME": "ok",
        "HOTLINE_STEP": "",
        "HOTLINE_AGI": "ok",
    }


async def test_a_caller_whom_nobody_knows_is_an_outcome() -> None:
    found = await result("caller_lookup")
    assert (found["HOTLINE_OUTCOME"], found["HOTLINE_AGI"]) == ("not_found", "ok")


async def test_a_route_is_told_to_the_dialplan_and_what_it_claims_is_kept() -> None:
    class Routes(NoIdentity):
        async def look_up(self, *_: Any, **__: Any) -> Answer:
            return Answer(Outcome.OK, Customer(), route=Route(action=Action.QUEUE, target="sales", priority=60))

    found = await result("caller_lookup", of=rooms(site=FakeSite(), identity=Routes()))
    assert (found["HOTLINE_ROUTE_ACTION"], found["HOTLINE_ROUTE_TARGET"]) == ("queue", "sales")
    assert (found["HOTLINE_ROUTE_PRIORITY"], found["HOTLINE_OUTCOME"]) == ("60", "ok")


async def test_a_lookup_leaves_a_ringing_call_ringing() -> None:
    assert (await result("caller_lookup", state="Ring"))["HOTLINE_AGI"] == "ok"


# menu


async def test_a_menu_of_arguments_gives_the_key() -> None:
    async with script("menu", "welcome&menu-main@en", "keys=12#", state="Ring") as asterisk:
        await asterisk.expect("ANSWER", "200 result=0")
        await asterisk.expect('STREAM FILE "/sounds/zh-CN/welcome" "0123456789*#"', "200 result=0 endpos=800")
        await asterisk.expect('STREAM FILE "/sounds/en/menu-main" "0123456789*#"', "200 result=35 endpos=800")
        assert await asterisk.obey() == {
            "HOTLINE_STEP": "#",
            "HOTLINE_OUTCOME": "key",
            "HOTLINE_KEY": "#",
            "HOTLINE_AGI": "ok",
        }


async def test_a_menu_of_a_flow_gives_the_step_where_the_flow_would_go_on() -> None:
    async with script("menu", "main/menu") as asterisk:
        await asterisk.expect('STREAM FILE "/sounds/zh-CN/menu-main" "0123456789*#"', "200 result=50 endpos=800")
        found = await asterisk.obey()
    assert (found["HOTLINE_OUTCOME"], found["HOTLINE_KEY"], found["HOTLINE_STEP"]) == ("key", "2", "night/leave")


async def test_a_menu_without_an_answer_says_the_last_mistake() -> None:
    async with script("menu", "menu-main", "keys=1", "tries=1", "wait=1s") as asterisk:
        await asterisk.expect('STREAM FILE "/sounds/zh-CN/menu-main" "0123456789*#"', "200 result=57 endpos=800")
        await asterisk.expect('STREAM FILE "/sounds/zh-CN/invalid-key" "0123456789*#"', "200 result=0 endpos=800")
        found = await asterisk.obey()
    assert (found["HOTLINE_OUTCOME"], found["HOTLINE_KEY"]) == ("wrong_key", "")


# collect


async def test_a_number_keyed_in_is_a_variable_of_its_name() -> None:
    async with script("collect", "order", "ask=enter-order-number", "min=2", "max=4") as asterisk:
        await asterisk.expect(
            'STREAM FILE "/sounds/zh-CN/enter-order-number" "0123456789*#"', "200 result=49 endpos=800"
        )
        for key in "2#":
            assert (await asterisk.command()).startswith("WAIT FOR DIGIT")
            asterisk.say(f"200 result={ord(key)}")
        assert await asterisk.obey() == {
            "HOTLINE_ORDER": "12",
            "HOTLINE_STEP": "",
            "HOTLINE_OUTCOME": "ok",
            "HOTLINE_AGI": "ok",
        }


# enqueue


async def test_a_caller_for_a_queue_is_sent_to_the_engine_and_back_to_the_next_line() -> None:
    async with script("enqueue", "sales", "require=billing >= 5 & mandarin") as asterisk:
        await asterisk.expect(
            'SET VARIABLE "HOTLINE_ERRAND" "queue,sales,require=billing >= 5 & mandarin"', "200 result=1"
        )
        await asterisk.expect('EXEC "Gosub" "hotline-errand,4008001234,1"', "200 result=0")
        assert await asterisk.obey() == {"HOTLINE_AGI": "ok"}


@pytest.mark.parametrize("dialled", ["s", "4008001234,1)&System(id", "h"])
async def test_a_dialled_number_that_is_none_is_not_passed_on(dialled: str) -> None:
    async with script("enqueue", "main/sales", dnid=dialled) as asterisk:
        await asterisk.expect('SET VARIABLE "HOTLINE_ERRAND" "queue,main/sales"', "200 result=1")
        await asterisk.expect('EXEC "Gosub" "hotline-errand,0,1"', "200 result=0")


# say


async def test_a_value_of_the_dialplan_s_is_said_between_prompts() -> None:
    async with script("say", "your-balance-is&money:12.50") as asterisk:
        heard = await spoken(asterisk)
        found = await asterisk.obey()
    assert heard[0] == "your-balance-is"
    assert len(heard) > 2
    assert (found["HOTLINE_OUTCOME"], found["HOTLINE_AGI"]) == ("said", "ok")


async def test_a_variable_of_the_call_s_is_read_from_the_channel_to_be_said() -> None:
    async with script("say", "digits:{order}") as asterisk:
        asterisk.variables["HOTLINE_ORDER"] = "42"
        assert await spoken(asterisk) == ["digit-4", "digit-2"]
        await asterisk.obey()


async def test_what_is_no_value_is_unspeakable() -> None:
    found = await result("say", "money:{balance}")
    assert (found["HOTLINE_OUTCOME"], found["HOTLINE_AGI"]) == ("unspeakable", "ok")


async def spoken(asterisk: FakeAsterisk) -> list[str]:
    """The prompts that are played, until something else is wanted."""
    heard = []
    while not (command := await asterisk.command()).startswith("SET VARIABLE"):
        if command.startswith("STREAM FILE"):
            heard.append(command.split('"')[1].rpartition("/")[2])
            asterisk.say("200 result=0 endpos=800")
        else:
            asterisk.say(f"200 result=1 ({asterisk.expanded(command)})")
    asterisk.set(command)
    return heard


# area, hours, list: what the dialplan need not ask the caller.


@pytest.mark.parametrize(
    ("facts", "presentation", "number"),
    [
        ({}, "allowed", "+8613800138000"),
        ({"callingpres": "3"}, "allowed", "+8613800138000"),
        ({"callingpres": "32"}, "restricted", ""),
        ({"callingpres": "35"}, "restricted", ""),
        ({"callingpres": "67"}, "unavailable", ""),
        ({"callerid": "unknown"}, "unavailable", ""),
        ({"calleridname": "Anonymous"}, "restricted", ""),
        ({"callingpres": "nonsense"}, "allowed", "+8613800138000"),
    ],
)
async def test_area_says_where_a_number_is_from_and_nothing_about_a_hidden_one(
    facts: dict[str, str], presentation: str, number: str
) -> None:
    found = await result("area", of=rooms(site=SITE), **facts)
    known = presentation == "allowed"
    assert (found["HOTLINE_CALLER_PRESENTATION"], found["HOTLINE_CALLER_NUMBER"]) == (presentation, number)
    assert (found["HOTLINE_CALLER_AREA"], found["HOTLINE_CALLER_CARRIER"]) == (
        ("北京市", "中国移动") if known else ("", "")
    )
    assert (found["HOTLINE_OUTCOME"], found["HOTLINE_CALLER_GROUP"]) == (
        ("north", "north") if known else ("unknown", "unknown")
    )


async def test_hours_say_whether_anybody_is_there_and_when_again() -> None:
    found = await result("hours", "never", of=rooms(site=SITE))
    assert found["HOTLINE_OUTCOME"] == "closed"
    assert found["HOTLINE_HOURS_OPENS_DATE"] == ""
    assert (await result("hours", "always", of=rooms(site=SITE)))["HOTLINE_OUTCOME"] == "open"


async def test_a_list_with_a_tier_makes_its_callers_of_that_tier() -> None:
    found = await result("list", "vip", of=rooms(site=SITE))
    assert (found["HOTLINE_OUTCOME"], found["HOTLINE_CUSTOMER_TIER"]) == ("listed", "VIP")
    found = await result("list", "vip", of=rooms(site=SITE), callerid="13900139000")
    assert (found["HOTLINE_OUTCOME"], found.get("HOTLINE_CUSTOMER_TIER")) == ("not_listed", None)


# verify_member, callback, survey, extension


async def test_what_a_member_keys_in_is_in_no_variable_and_no_event() -> None:
    events: list[Event] = []
    asked: list[Any] = []

    class Knows(NoIdentity):
        async def look_up(self, *_: Any, member: Any = None, **__: Any) -> Answer:
            asked.append((member.id, member.pin))
            return Answer(Outcome.OK, Customer(id="c-1", name="张三"))

    async with script("verify_member", "member&pin", of=rooms(site=SITE, identity=Knows(), events=events)) as asterisk:
        await key_in(asterisk, "enter-member-number", "1203120312#")
        await key_in(asterisk, "enter-pin", "8642864286#")
        found = await asterisk.obey()
    assert asked == [("1203120312", "8642864286")]
    assert (found["HOTLINE_OUTCOME"], found["HOTLINE_CUSTOMER_NAME"]) == ("ok", "张三")
    said = f"{found} {events}"
    assert "8642864286" not in said
    assert "1203120312" not in said


async def key_in(asterisk: FakeAsterisk, prompt: str, keys: str) -> None:
    """Answers a question by keys, when they are waited for."""
    await asterisk.expect(f'STREAM FILE "/sounds/zh-CN/{prompt}" "0123456789*#"', "200 result=0 endpos=800")
    for key in keys:
        assert (await asterisk.command()).startswith("WAIT FOR DIGIT")
        asterisk.say(f"200 result={ord(key)}")


async def test_a_callback_is_taken_down_for_the_queue() -> None:
    events: list[Event] = []
    async with script("callback", "sales", of=rooms(site=SITE, events=events)) as asterisk:
        await key_in(asterisk, "callback-offer", "1")
        await asterisk.expect('STREAM FILE "/sounds/zh-CN/callback-accepted" "0123456789*#"', "200 result=0 endpos=8")
        found = await asterisk.obey()
    assert (found["HOTLINE_OUTCOME"], found["HOTLINE_CALLBACK_NUMBER"]) == ("accepted", "+8613800138000")
    (request,) = [event for event in events if event.TYPE == "callback.requested"]
    assert "queue='sales'" in repr(request)


async def test_a_survey_counts_for_the_call_that_the_caller_s_last_errand_was() -> None:
    events: list[Event] = []
    async with script("survey", of=rooms(site=SITE, events=events)) as asterisk:
        asterisk.variables["HOTLINE_CALL"] = "1m807qs4rqw7w5"
        await key_in(asterisk, "survey-ask", "4")
        await asterisk.expect('STREAM FILE "/sounds/zh-CN/survey-thanks" "0123456789*#"', "200 result=0 endpos=8")
        assert (await asterisk.obey())["HOTLINE_OUTCOME"] == "answered"
    (answer,) = [event for event in events if event.TYPE == "survey.answered"]
    assert answer.call == "1m807qs4rqw7w5"


async def test_an_extension_is_the_engine_s_to_call() -> None:
    async with script("extension", "keyed", "patience=30s") as asterisk:
        await asterisk.expect('SET VARIABLE "HOTLINE_ERRAND" "extension,keyed,patience=30s"', "200 result=1")
        await asterisk.expect('EXEC "Gosub" "hotline-errand,4008001234,1"', "200 result=0")
        assert await asterisk.obey() == {"HOTLINE_AGI": "ok"}


# What is written wrongly.


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (("menu", "menu-main", "keys=1", "wiat=3s"), "`wiat` is no setting of `menu` (did you mean `wait`?)"),
        (("menu", "menu-main", "keys=1", "tries=many"), "`tries`: Input should be a valid integer"),
        (("menu", "menu-main", "keys=x"), "`keys.x`: String should match pattern"),
        (("menu", "menu-main"), "`keys`: Field required"),
        (("menu", "menu-main", "keys=1", "then=sales"), "`then`: where to go on is the dialplan's to say"),
        (("menu", "menu-main", "12"), "`12` is no `setting=value`"),
        (("menu", "main/menu", "tries=2"), "`main/menu` has its settings in its flow: `tries=2` cannot stand beside"),
        (("menu", "main/nothing"), "`main/nothing`: no such step in main (there are: menu, sales, who)"),
        (("menu", "night/menu"), "`night/menu`: no flow `night` (there are: main)"),
        (("menu", "main/sales"), "`main/sales` is a `queue`, not a `menu`"),
        (("enqueue", "sails"), "no queue `sails` (did you mean `sales`?)"),
        (("enqueue",), "no queue `` (there are: sales)"),
        (("enqueue", "sales", "require=${X}"), "`require=${X}` cannot be passed on"),
    ],
)
async def test_wrong_arguments_are_named_in_the_log_and_fail_the_call_s_script(
    said: tuple[str, ...], error: str
) -> None:
    with capture_logs() as logs:
        found = await result(*said)
    assert found == {"HOTLINE_AGI": "error"}
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert line["event"] == "agi.bad_arguments"
    assert line["error"].startswith(error), line["error"]


async def test_what_a_caller_hears_and_does_is_in_the_journal_under_the_call_s_id() -> None:
    events: list[Event] = []
    async with script("menu", "main/menu", of=rooms(site=FakeSite(flows=FLOWS), events=events)) as asterisk:
        await asterisk.expect('STREAM FILE "/sounds/zh-CN/menu-main" "0123456789*#"', "200 result=49 endpos=800")
        await asterisk.obey()
    assert [(event.TYPE, event.call) for event in events] == [
        ("ivr.played", "1763726400.7"),
        ("ivr.digit", "1763726400.7"),
    ]
