"""Callers whom a hand-written dialplan lends to the engine, and gets back; and the hotline of dialplan/examples."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import yaml

from phones import Call
from tests.e2e.hotline import Hotline, Json
from tests.e2e.scene import AGENT_HZ, CALLER_HZ, MENU_HZ, SOON_S, Scene, kinds_of
from tests.e2e.site_of_tones import BLOCKED, MUSIC_HZ, PROJECT, PROMPTS_HZ, VIP, VIP_NAME
from tests.e2e.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

DIALPLAN = """
[from-trunk]
exten => 4007771001,1,Set(HOTLINE_CUSTOMER_NAME=张三)
 same => n,AGI(${AGI}/enqueue,sales)
 same => n,Goto(done,1)
exten => 4007771002,1,AGI(${AGI}/enqueue,brief)
 same => n,AGI(${AGI}/enqueue,brief)
 same => n,Goto(done,1)
exten => 4007771003,1,Stasis(hotline,queue,sails)
 same => n,Goto(done,1)
exten => 4007771004,1,AGI(${AGI}/extension,keyed)
 same => n,Goto(done,1)
exten => 4007771005,1,Answer()
 same => n,Set(HOTLINE_ERRAND=queue,sales)
 same => n,Gosub(hotline-errand,${EXTEN},1)
 same => n,Goto(done,1)
exten => 4007771006,1,AGI(${AGI}/voicemail,night,least=500ms)
 same => n,Goto(done,1)
exten => done,1,Answer()
 same => n,Set(DONE=${HOTLINE_OUTCOME})
 same => n,Wait(60)
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hotline() -> AsyncIterator[Hotline]:
    """A hotline of its own, whose site has this dialplan, the worked example, and an office that never closes."""
    hotline = Hotline()
    dialplan = hotline.site / "dialplan"
    (dialplan / "errands.conf").write_text(DIALPLAN)
    shutil.copy(PROJECT / "dialplan/examples/hand_written.conf", dialplan)
    write(hotline, "calendars", office={"zone": "Asia/Shanghai", "open": {"daily": "24h"}})
    write(hotline, "lists", block={"numbers": {}})
    write(hotline, "queues", brief={"require": "sales", "max_wait": 0.5})
    try:
        await hotline.open()
        yield hotline
    finally:
        await hotline.close()


def write(hotline: Hotline, name: str, **more: Any) -> None:
    """Adds to what the test's site has."""
    path = hotline.site / f"dialplan/{name}.yaml"
    data = yaml.safe_load(path.read_text()) if path.exists() else {name: {}}
    data[name].update(more)
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False))


async def value(scene: Scene, name: str) -> str:
    """A variable of the one channel there is; "" when it is not set."""
    for channel in await scene.hotline.ari("channels"):
        try:
            found: str = (await scene.hotline.ari(f"channels/{channel['id']}/variable?variable={name}"))["value"]
        except aiohttp.ClientResponseError:
            continue
        return found
    return ""


async def back(scene: Scene) -> str:
    """With which outcome the caller is back in the dialplan."""

    async def done() -> str:
        return await value(scene, "DONE")

    return await until(done, within=SOON_S, what="the caller is back in the dialplan")


async def hear_each_other(call: Call, ring: Call) -> None:
    await call.play_tone(CALLER_HZ)
    await ring.play_tone(AGENT_HZ)
    assert await call.hears(AGENT_HZ, within=SOON_S)
    assert await ring.hears(CALLER_HZ, within=SOON_S)


async def test_a_caller_of_a_hand_written_dialplan_talks_to_an_agent_and_is_given_back(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.dial("13600136051", number="4007771001")
    ring = await agent.ringing()
    assert ring.caller_name == VIP_NAME
    await ring.answer()
    await hear_each_other(call, ring)
    await ring.hang_up()
    assert await back(scene) == "served"
    row = await scene.row("13600136051")
    assert (row["dialled"], row["queue"], row["agent"]) == ("4007771001", "sales", scene.user(agent))
    assert (row["end_reason"], row["flow_path"]) == ("returned", ["dialplan/queue"])
    assert await value(scene, "HOTLINE_CALL") == row["id"]
    assert call.end is None


async def test_a_caller_whom_nobody_serves_is_back_on_the_next_line_and_may_ask_again(scene: Scene) -> None:
    call = await scene.dial("13600136052", number="4007771002")
    scene.expect_another_row()
    assert await back(scene) == "timed_out"
    assert call.end is None


async def test_a_caller_who_hangs_up_in_a_queue_of_the_dialplan_s_leaves_nothing_behind(scene: Scene) -> None:
    call = await scene.dial("13600136053", number="4007771001")
    assert await call.hears(MUSIC_HZ, within=SOON_S)
    await call.hang_up()
    assert (await scene.row("13600136053"))["end_reason"] == "abandoned_waiting"


async def test_an_errand_that_is_none_comes_back_at_once_as_an_error(scene: Scene) -> None:
    call = await scene.dial("13600136054", number="4007771003")
    assert await back(scene) == "error"
    assert call.end is None
    assert (await scene.row("13600136054"))["end_reason"] == "returned"


async def test_an_extension_is_keyed_in_and_talked_to(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.dial("13600136055", number="4007771004")
    await call.answered()
    await call.press(f"{scene.user(agent)}#")
    ring = await agent.ringing()
    await ring.answer()
    await hear_each_other(call, ring)
    await ring.hang_up()
    assert await back(scene) == "served"
    assert await value(scene, "HOTLINE_EXTENSION") == scene.user(agent)


async def test_an_errand_outlives_its_engine(scene: Scene) -> None:
    call = await scene.dial("13600136056", number="4007771001")
    assert await call.hears(MUSIC_HZ, within=SOON_S)
    await scene.hotline.replaced("engine", scene.hotline.kill("engine"))
    agent = await scene.agent()
    ring = await agent.ringing()
    await ring.answer()
    await hear_each_other(call, ring)
    await ring.hang_up()
    assert await back(scene) == "served"
    assert "call.recovered" in kinds_of(await scene.events_of(await scene.row("13600136056")))


async def test_without_an_engine_an_errand_is_back_at_once(scene: Scene) -> None:
    async def no_engine() -> bool:
        return not await scene.hotline.ari("applications")

    scene.hotline.tell(signal.SIGSTOP)  # nobody starts another one meanwhile
    killed = scene.hotline.kill("engine")
    try:
        await until(no_engine, within=SOON_S, what="Asterisk has noticed that there is no engine")
        await scene.dial("13600136057", number="4007771005", accounted=False)
        assert await back(scene) == "no_engine"
    finally:
        scene.hotline.tell(signal.SIGCONT)
    await scene.hotline.replaced("engine", killed)


# A script that records.


async def at_the_beep(scene: Scene, caller: str) -> Call:
    call = await scene.dial(caller, number="4007771006", accounted=False)
    await call.answered()
    await call.press("#")  # skips the greeting
    assert await call.hears(PROMPTS_HZ["beep"], within=SOON_S)
    await call.play_tone(CALLER_HZ)
    await asyncio.sleep(1.5)  # says something
    return call


async def said(scene: Scene, caller: str) -> int:
    """How long the one voicemail of a caller is, in milliseconds."""

    async def left() -> list[Json]:
        return [v for v in await scene.hotline.ask("/v1/voicemails") if v["number"] == f"+86{caller}"]

    (voicemail,) = await until(left, within=SOON_S, what=f"a voicemail of {caller}")
    length_ms: int = voicemail["length_ms"]
    return length_ms


async def test_a_voicemail_recorded_by_a_script_ends_by_a_key(scene: Scene) -> None:
    call = await at_the_beep(scene, "13600136060")
    await call.stop_tone()
    await call.press("#")
    assert await back(scene) == "left"
    assert await said(scene, "13600136060") > 500


async def test_a_caller_who_hangs_up_while_a_script_records_has_left_what_they_said(scene: Scene) -> None:
    call = await at_the_beep(scene, "13600136061")
    await call.hang_up()
    assert await said(scene, "13600136061") > 1000


# dialplan/examples/hand_written.conf

EXAMPLE = "4008005678"


async def test_the_hand_written_hotline_takes_a_known_caller_through_its_menu_to_an_agent(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.dial(VIP, number=EXAMPLE)
    await call.answered()
    await call.press("1")
    ring = await agent.ringing()
    assert ring.caller_name == VIP_NAME
    await ring.answer()
    await hear_each_other(call, ring)
    record = await scene.until_active(VIP, "phase", "talking")
    assert (record["head_start_s"], record["queue"]) == (300.0, "sales")
    await ring.hang_up()
    assert await call.hears(PROMPTS_HZ["survey-ask"], within=SOON_S)
    await call.press("5")
    row = await scene.row(VIP)
    await scene.event(row, "survey.answered")
    await call.ended(timeout=10)

    async def counted() -> bool:
        surveys = await scene.hotline.ask("/v1/surveys")
        return [("sales", scene.user(agent), 5.0)] == [(s["queue"], s["agent"], s["average"]) for s in surveys]

    await until(counted, within=SOON_S, what="the answer counts for the agent")


async def test_the_hand_written_hotline_verifies_a_member_takes_an_order_and_says_an_amount(scene: Scene) -> None:
    call = await scene.dial("13600136059", number=EXAMPLE, accounted=False)
    await call.answered()
    await type_in(call, "31001#2468#4826#")
    assert await call.hears_something(within=SOON_S)
    await until(lambda: heard_the_amount(scene), within=10, what="the amount was said")
    assert await value(scene, "HOTLINE_ORDER") == "4826"
    assert await value(scene, "HOTLINE_CUSTOMER_TIER") == "VIP"
    logged = "".join(file.read_text(errors="replace") for file in scene.hotline.state.log.iterdir())
    assert "agi.listening" in logged
    threads_and_times = r"\[[\w.]*\d+\]|\"timestamp\":\"[^\"]*\""  # may be any number
    assert not re.search(r"(?<!\d)(1001|2468)(?!\d)", re.sub(threads_and_times, "", logged))
    assert await call.hears(MENU_HZ, within=10)


async def heard_the_amount(scene: Scene) -> bool:
    return await value(scene, "HOTLINE_OUTCOME") == "said"


async def type_in(call: Call, keys: str) -> None:
    """At the pace of a person who knows them by heart."""
    for key in keys:
        await call.press(key)
        await asyncio.sleep(0.3)


async def test_the_hand_written_hotline_refuses_whom_the_company_refuses(scene: Scene) -> None:
    call = await scene.dial(BLOCKED, number=EXAMPLE, accounted=False)
    assert (await call.ended()).code == 403


async def test_the_hand_written_hotline_sends_whoever_presses_wrong_keys_to_a_person(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.dial("13600136058", number=EXAMPLE)
    assert await call.hears(MENU_HZ, within=SOON_S)
    await call.press("987")
    ring = await agent.ringing()
    await ring.hang_up()
    await call.hang_up()
