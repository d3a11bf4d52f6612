"""`hotline up` itself: killed, stopped, drained, and beside another one."""

from __future__ import annotations

import signal

import pytest

from phones import Phones
from tests.e2e.conftest import Running
from tests.e2e.hotline import CHILDREN, Hotline, alive
from tests.e2e.scene import AGENT_HZ, CALLER_HZ, Scene
from tests.e2e.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANNE, BOB = "13600136031", "13600136032"


def pids(hotline: Hotline) -> dict[str, int | None]:
    return {child: hotline.pid(child) for child in CHILDREN}


async def until_all_gone(hotline: Hotline, before: dict[str, int | None]) -> None:
    async def gone() -> bool:
        return not any(alive(pid) for pid in before.values() if pid)

    await until(gone, within=5, what=f"none of {before} is left running")
    assert not hotline.state.api_socket.exists()


async def until_draining(hotline: Hotline) -> None:
    async def so() -> bool:
        return not (await hotline.ask("/v1/status"))["ready"]

    await until(so, within=5, what="the engine takes no more calls")


@pytest.mark.hotline("own")
async def test_a_second_up_takes_over_what_a_killed_one_left_and_stops_it_cleanly(lone_scene: Scene) -> None:
    scene, hotline = lone_scene, lone_scene.hotline
    agent = await scene.agent()
    talking, ring = await scene.talking(ANNE, agent)
    before = pids(hotline)
    hotline.tell(signal.SIGKILL)
    await hotline.ended()
    assert pids(hotline) == before

    await hotline.up()
    after = pids(hotline)
    assert (after["redis"], after["asterisk"]) == (before["redis"], before["asterisk"])
    assert after["engine"] != before["engine"]
    await talking.play_tone(CALLER_HZ)
    await ring.play_tone(AGENT_HZ)
    assert await talking.hears(AGENT_HZ, within=10)
    assert await ring.hears(CALLER_HZ, within=10)

    hotline.tell(signal.SIGTERM)
    await until_draining(hotline)
    assert await talking.hears(AGENT_HZ, within=10), "draining cut a conversation"
    await talking.hang_up()
    assert await hotline.ended() == 0
    await until_all_gone(hotline, after)
    (row,) = hotline.rows_on_disk()
    assert (row["number"], row["end_reason"], row["agent"]) == (f"+86{ANNE}", "completed_by_caller", scene.user(agent))
    assert row["talk_ms"] > 0


@pytest.mark.hotline("own")
async def test_a_hotline_told_to_stop_lets_calls_end_and_leaves_new_ones_to_the_fallback(lone_scene: Scene) -> None:
    scene, hotline = lone_scene, lone_scene.hotline
    busy, free = await scene.agents(2)
    talking, ring = await scene.talking(ANNE, busy)
    before = pids(hotline)
    hotline.tell(signal.SIGTERM)
    await until_draining(hotline)

    late = await scene.dial(BOB)
    late_ring = await free.ringing(timeout=10)
    await late_ring.answer()
    await late.play_tone(CALLER_HZ)
    assert await late_ring.hears(CALLER_HZ, within=10)
    await late.hang_up()
    await ring.play_tone(AGENT_HZ)
    assert await talking.hears(AGENT_HZ, within=10)
    await ring.hang_up()
    assert (await talking.ended()).who == "them"

    assert await hotline.ended() == 0
    await until_all_gone(hotline, before)
    rows = {row["number"]: row["end_reason"] for row in hotline.rows_on_disk()}
    assert rows == {f"+86{ANNE}": "completed_by_agent", f"+86{BOB}": "fallback"}


async def test_a_second_up_on_the_same_state_says_so_and_touches_nothing(hotline: Hotline) -> None:
    before = pids(hotline)
    first = hotline.process
    try:
        with pytest.raises(pytest.fail.Exception, match="a hotline already runs on"):
            await hotline.up()
    finally:
        hotline.process = first
    assert pids(hotline) == before
    assert await hotline.ready()


@pytest.mark.hotline("fragile")
async def test_a_child_that_was_killed_is_started_again_and_how_it_ended_is_said(hotline: Hotline) -> None:
    said_before = len(hotline.words.read_text())
    await hotline.replaced("redis", hotline.kill("redis"))
    log_file = hotline.state.log / "redis.log"
    said = hotline.words.read_text()[said_before:]
    assert f"redis ended (killed by signal 9); starting it again (log: {log_file})" in said


async def test_two_hotlines_on_one_machine_each_take_their_calls(scene: Scene, running: Running) -> None:
    other_hotline = await running.get("fragile")
    async with Phones.start(other_hotline.sip) as phones:
        other = Scene(other_hotline, phones, await phones.carrier())
        await other.open()
        agents = [await here.agent() for here in (scene, other)]
        calls = [await here.in_menu(ANNE) for here in (scene, other)]
        for call, agent in zip(calls, agents, strict=True):
            await call.press("1")
            ring = await agent.ringing()
            await ring.answer()
            await call.play_tone(CALLER_HZ)
            assert await ring.hears(CALLER_HZ, within=10)
        for call in calls:
            await call.hang_up()
        assert [(await here.row(ANNE))["end_reason"] for here in (scene, other)] == ["completed_by_caller"] * 2
        await other.close()
        await other.check_clean()
