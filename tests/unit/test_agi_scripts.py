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
from engine.identity.contract import Customer, Outcome
from engine.identity.endpoint import Answer, NoIdentity
from engine.journal.events import Event
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
        "HOTLINE_OUTCOME": "ok",
        "HOTLINE_STEP": "",
        "HOTLINE_AGI": "ok",
    }


async def test_a_caller_whom_nobody_knows_is_an_outcome() -> None:
    found = await result("caller_lookup")
    assert (found["HOTLINE_OUTCOME"], found["HOTLINE_AGI"]) == ("not_found", "ok")


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
