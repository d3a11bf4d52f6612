"""Redis emptied, failed over or silent, under real calls: no place and no conversation is lost, and nothing spins."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis

from engine.acd import Acd, Device
from engine.redis_line import RedisLine
from phones import Call
from tests.e2e import site_of_tones
from tests.e2e.hotline import STARTS_S, Hotline
from tests.e2e.scene import AGENT_HZ, CALLER_HZ, SOON_S, Scene, kinds_of, only
from tests.e2e.site_of_tones import MUSIC_HZ
from tests.e2e.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.hotline("fragile")]

ANNE, BOB, CARL = "13600136041", "13600136042", "13600136043"
# Longer than the engine waits for an answer, so that it hangs up and looks for another Redis.
SILENT_S = 3.0


async def hear_each_other(caller: Call, agent: Call) -> None:
    await caller.play_tone(CALLER_HZ)
    await agent.play_tone(AGENT_HZ)
    assert await caller.hears(AGENT_HZ, within=10)
    assert await agent.hears(CALLER_HZ, within=10)


async def until_recorded(hotline: Hotline, events: dict[str, str]) -> None:
    """Until the database has these events of these callers: those that it lacks are lost with Redis."""

    async def so() -> bool:
        calls = {call["raw"]: call["id"] for call in await hotline.active_calls()}
        return all([kind in kinds_of(await hotline.events(calls[raw])) for raw, kind in events.items()])

    await until(so, within=SOON_S, what=f"the database has {events}")


async def empty(hotline: Hotline) -> None:
    """Empties it, and waits until its agents are in it again."""
    async with Redis(unix_socket_path=str(hotline.state.redis_socket)) as redis:
        await redis.flushall()
    agents = len(site_of_tones.POOL)

    async def so() -> bool:
        return len(await hotline.ask("/v1/agents")) >= agents

    await until(so, within=SOON_S, what=f"Redis knows {agents} agents again")


def cpu_s(pid: int) -> float:
    """User and system time of a process: proc(5), fields 14 and 15."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def test_an_emptied_redis_costs_nobody_their_place_or_their_conversation(scene: Scene) -> None:
    agent, at_lunch = await scene.agents(2)
    await scene.intent(scene.user(at_lunch), "not_ready")
    talking, ring = await scene.talking(ANNE, agent)
    first, second = await scene.queued(BOB), await scene.queued(CARL)
    await until_recorded(scene.hotline, {ANNE: "bridge.started", BOB: "item.enqueued", CARL: "item.announced"})

    await empty(scene.hotline)
    user = scene.user(agent)
    await scene.until_agent(user, work="talking", device="idle", intent="ready")
    await scene.until_agent(scene.user(at_lunch), intent="not_ready", device="idle")
    await hear_each_other(talking, ring)
    waiting = await scene.hotline.ask("/v1/queues")
    assert sum(queue["waiting"] for queue in waiting) == 2

    await talking.hang_up()
    ring = await agent.ringing()
    assert ring.caller_number == BOB
    await ring.answer()
    await hear_each_other(first, ring)
    await ring.hang_up()
    ring = await agent.ringing()
    assert ring.caller_number == CARL
    await second.hang_up()

    talked, waited = await scene.row(ANNE), await scene.row(BOB)
    assert (talked["end_reason"], talked["agent"]) == ("completed_by_caller", user)
    assert only(await scene.events_of(talked), "item.restored")["agent"] == user
    assert talked["talk_ms"] == talked["ended_ms"] - talked["connected_ms"]
    assert (waited["end_reason"], waited["agent"]) == ("completed_by_agent", user)
    assert waited["wait_ms"] == waited["connected_ms"] - waited["queued_ms"] > 1500
    told = [event["prompts"] for event in await scene.events_of(await scene.row(CARL)) if event["type"] == "ivr.played"]
    assert sum("all-agents-busy" in prompts for prompts in told) == 1, "an emptied Redis had it said again"
    await scene.intent(scene.user(at_lunch), "ready")


async def test_a_phone_that_rang_when_redis_was_emptied_rings_again_for_the_same_caller(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.queued(ANNE)
    ring = await agent.ringing()
    await until_recorded(scene.hotline, {ANNE: "offer.ringing"})
    await empty(scene.hotline)
    assert (await ring.ended(timeout=5)).who == "them"
    again = await agent.ringing(timeout=10)
    await again.answer()
    await hear_each_other(call, again)
    await call.hang_up()
    row = await scene.row(ANNE)
    assert (row["end_reason"], row["agent"], row["offers"]) == ("completed_by_caller", scene.user(agent), 2)


async def test_what_a_failover_has_lost_is_told_again(scene: Scene) -> None:
    agent = await scene.agent()
    user = scene.user(agent)
    talking, ring = await scene.talking(ANNE, agent)
    waiting = await scene.queued(BOB)
    ids = {call["raw"]: call["id"] for call in await scene.hotline.active_calls()}
    line = RedisLine(f"unix://{scene.hotline.state.redis_socket}?db=0")
    await line.open()
    try:
        # As if the new master had never heard of them; then every connection breaks, as it does in a failover.
        acd = Acd(line, engine="main", on_notice=lambda _: None)
        await acd.load()
        assert await acd.withdraw(ids[BOB], "lost")
        assert await acd.leave(ids[ANNE], reason="lost")
        assert await acd.wrapup(user, 0) == 0
        await acd.agent(user, device=Device.DOWN)
        await line.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    finally:
        await line.close()

    await scene.until_agent(user, work="talking", device="idle")
    await hear_each_other(talking, ring)
    await talking.hang_up()
    ring = await agent.ringing()
    assert ring.caller_number == BOB
    await ring.answer()
    await hear_each_other(waiting, ring)
    await waiting.hang_up()
    reasons = [(await scene.row(caller))["end_reason"] for caller in (ANNE, BOB)]
    assert reasons == ["completed_by_caller"] * 2


async def test_a_conversation_that_redis_lost_while_no_engine_watched_is_known_to_it_again(scene: Scene) -> None:
    agent = await scene.agent()
    talking, ring = await scene.talking(ANNE, agent)
    (call,) = await scene.hotline.active_calls()
    old = scene.hotline.kill("engine")
    line = RedisLine(f"unix://{scene.hotline.state.redis_socket}?db=0")
    await line.open()
    acd = Acd(line, engine="main", on_notice=lambda _: None)
    await acd.load()
    assert await acd.leave(call["id"], reason="lost")
    await line.close()

    await scene.hotline.replaced("engine", old)
    await scene.until_agent(scene.user(agent), work="talking")
    await hear_each_other(talking, ring)
    await talking.hang_up()
    assert (await scene.row(ANNE))["end_reason"] == "completed_by_caller"


async def test_an_engine_that_starts_while_redis_is_silent_takes_the_calls_over_when_it_answers(scene: Scene) -> None:
    agent = await scene.agent()
    talking, talks = await scene.talking(ANNE, agent)
    waiting = await scene.queued(BOB)
    hotline = scene.hotline
    with hotline.frozen("redis"):
        pids = {old := hotline.kill("engine")}

        async def tries_again() -> bool:
            pids.add(hotline.pid("engine") or old)
            return len(pids) > 2

        await until(tries_again, within=STARTS_S, what="an engine has found no Redis, and another one starts")
        await hear_each_other(talking, talks)
    await hotline.replaced("engine", old)
    await talking.hang_up()
    ring = await agent.ringing(timeout=10)
    assert ring.caller_number == BOB
    await ring.answer()
    await hear_each_other(waiting, ring)
    await waiting.hang_up()
    assert [(await scene.row(caller))["end_reason"] for caller in (ANNE, BOB)] == ["completed_by_caller"] * 2


async def killed_and_read(hotline: Hotline) -> int:
    """Kills the engine, and returns its pid when the next one has read which calls it had."""
    client = Redis(unix_socket_path=str(hotline.state.redis_socket), socket_timeout=STARTS_S)
    async with client as redis, redis.monitor() as commands:
        old = hotline.kill("engine")
        async with asyncio.timeout(STARTS_S):
            async for seen in commands.listen():
                if seen["command"].startswith("MGET hotline:{default}:call:"):
                    break
    return old


async def test_calls_are_taken_over_when_redis_goes_away_while_the_next_engine_starts(scene: Scene) -> None:
    agent = await scene.agent()
    talking, talks = await scene.talking(ANNE, agent)
    waiting = await scene.queued(BOB)
    assert await waiting.hears(MUSIC_HZ, within=6)

    hotline = scene.hotline
    hotline.kill("asterisk", signal.SIGSTOP)  # so that the next engine is held up before it can ask for their places
    try:
        old = await killed_and_read(hotline)
        hotline.kill("redis", signal.SIGSTOP)
    finally:
        hotline.kill("asterisk", signal.SIGCONT)
    since = time.monotonic()
    try:
        await hear_each_other(talking, talks)
        while time.monotonic() - since < SILENT_S:
            assert await waiting.hears(MUSIC_HZ, within=2)
        await hear_each_other(talking, talks)
    finally:
        hotline.kill("redis", signal.SIGCONT)

    await hotline.replaced("engine", old)  # also when it was too late to have read anything, and had to begin again
    new = await scene.dial(CARL)
    await new.answered()
    await new.press("1")
    assert await new.hears(MUSIC_HZ, within=10)
    await scene.until_active(BOB, "phase", "waiting")
    await talking.hang_up()
    for caller, call in ((BOB, waiting), (CARL, new)):
        ring = await agent.ringing(timeout=10)
        assert ring.caller_number == caller
        await ring.answer()
        await hear_each_other(call, ring)
        await ring.hang_up()
    talked, waited = await scene.row(ANNE), await scene.row(BOB)
    assert (talked["end_reason"], talked["agent"]) == ("completed_by_caller", scene.user(agent))
    assert talked["talk_ms"] == talked["ended_ms"] - talked["connected_ms"] > 1000 * SILENT_S
    only(await scene.events_of(waited), "item.enqueued")  # never put in line a second time


async def test_while_redis_is_silent_callers_hear_music_agents_answer_and_nothing_spins(scene: Scene) -> None:
    talker, answerer = await scene.agents(2)
    talking, talks = await scene.talking(ANNE, talker)
    call = await scene.queued(BOB)
    ring = await answerer.ringing()
    engine = scene.hotline.pid("engine")
    assert engine is not None
    before_s, since = cpu_s(engine), time.monotonic()

    with scene.hotline.frozen("redis"):
        await ring.answer()
        new = await scene.dial(CARL)
        await new.answered()
        await new.press("1")
        await hear_each_other(talking, talks)
        await talking.hang_up()
        assert await new.hears(MUSIC_HZ, within=10)
        while time.monotonic() - since < SILENT_S:
            assert await new.hears(MUSIC_HZ, within=2)
        spent_s, silent_s = cpu_s(engine) - before_s, time.monotonic() - since
    assert spent_s < 0.3 * silent_s

    next_ring = await talker.ringing(timeout=15)
    await next_ring.answer()
    callers = {ring.caller_number: (ring, answerer), next_ring.caller_number: (next_ring, talker)}
    await hear_each_other(new, callers[CARL][0])
    await new.hang_up()
    await call.hang_up()
    assert (await scene.row(ANNE))["end_reason"] == "completed_by_caller"
    assert (await scene.row(CARL))["end_reason"] == "completed_by_caller"
