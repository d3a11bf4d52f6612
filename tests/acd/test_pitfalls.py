"""The mistakes that queues are known for, one after the other: each would lose a caller, ring an agent for nothing, or
lie in a report."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import permutations

import pytest

from engine.acd import Device, Intent, Missed, Order, Work
from engine.acd.offer import TREATMENTS
from engine.redis_line import RedisLine
from tests.acd import inside
from tests.acd.desk import LEASE_MS, WRAPUP_MS, Desk, policy


async def test_01_caller_who_hangs_up_while_the_agent_rings_charges_nobody_and_a_late_answer_finds_nothing(
    desk: Desk,
) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    await desk.acd.ringing(desk.last.token)
    assert await desk.acd.withdraw("call", "abandoned_ringing") is True
    assert await desk.acd.accept(desk.last.token) is False
    agent = await desk.agent("8001")
    assert (agent.work, agent.misses, agent.cool_until_ms) == (Work.IDLE, 0, 0)
    assert (await desk.calls("next")).offers[0].agent == "8001"


async def test_02_two_engines_at_once_reserve_no_agent_twice_and_offer_no_caller_twice(
    desk: Desk, redis_url: str
) -> None:
    await desk.staff({f"8{n:03}": {} for n in range(40)}, "any", ready=False)
    lines = [RedisLine(redis_url) for _ in range(3)]
    desks = [Desk(line, f"engine-{n}") for n, line in enumerate(lines)]
    for line in lines:
        await line.open()
    arriving = [desks[n % 3].calls(f"call-{n}") for n in range(60)]
    coming = [desks[n % 3].acd.agent(f"8{n:03}", intent=Intent.READY, device=Device.IDLE) for n in range(40)]
    await asyncio.gather(*(job for pair in zip(arriving, coming, strict=False) for job in pair), *arriving[40:])
    created = await desk.journal("offer.created")
    assert len(created) == 40
    assert len({event["agent"] for event in created}) == len({event["call"] for event in created}) == 40
    for line in lines:
        await line.close()


async def test_03_two_phones_that_answer_at_once_are_one_conversation(desk: Desk) -> None:
    await desk.staff({f"800{n}": {} for n in range(5)}, "any")
    placement = await desk.calls("call", policy("any", ring=0))
    answers = await asyncio.gather(*(desk.acd.accept(offer.token) for offer in placement.offers))
    assert sorted(answers) == [False, False, False, False, True]
    work = Counter(agent.work for agent in await desk.acd.agents())
    assert work == {Work.TALKING: 1, Work.IDLE: 4}
    assert len(await desk.journal("offer.cancelled")) == 4


async def test_04_phone_that_is_gone_is_nobodys_fault_and_the_caller_goes_on_at_once(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    await desk.misses(Missed.UNREACHABLE)
    assert desk.offered() == [("call", "8001"), ("call", "8002")]
    agent = await desk.agent("8001")
    assert (agent.device, agent.intent, agent.misses) == (Device.DOWN, Intent.READY, 0)
    await desk.acd.agent("8001", device=Device.IDLE)
    await desk.passes(4_999)
    assert (await desk.agent("8001")).ready == (), "back, but no phone rings twice within 5 s"
    await desk.passes(1)
    assert (await desk.agent("8001")).ready == ("voice",)


@pytest.mark.parametrize(
    ("reason", "excluded_ms", "cooling_ms", "after_twice"),
    [
        (Missed.BUSY, 5_000, 10_000, ""),
        (Missed.DND, 10_000, 10_000, "dnd"),
        (Missed.REJECTED, 60_000, 5_000, ""),
        (Missed.NO_ANSWER, 60_000, 5_000, ""),
        (Missed.FAILED, 5_000, 5_000, ""),
        (Missed.WRONG_NUMBER, 60_000, 5_000, "config"),
    ],
)
async def test_05_busy_do_not_disturb_rejected_and_ignored_are_four_things(
    desk: Desk, reason: Missed, excluded_ms: int, cooling_ms: int, after_twice: str
) -> None:
    rule = TREATMENTS[reason]
    assert (rule.exclude_s * 1000, rule.cool_s * 1000) == (excluded_ms, cooling_ms)
    await desk.staff({"8001": {}}, "any")
    for number in range(2):
        await desk.calls(f"call-{number}")
        if desk.last.item == f"call-{number}":
            await desk.misses(reason)
            assert (await desk.agent("8001")).cool_until_ms == desk.now_ms + cooling_ms
        await desk.acd.withdraw(f"call-{number}", "test")
        await desk.passes(cooling_ms)
    agent = await desk.agent("8001")
    assert (agent.reason, agent.intent) == (after_twice, Intent.NOT_READY if after_twice else Intent.READY)


async def test_06_phone_that_nobody_answers_is_not_rung_in_a_loop_and_the_caller_keeps_the_place(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    ignored = policy("any", ignored_limit=2)
    await desk.calls("call", ignored)
    await desk.calls("other", ignored)
    offered_at = []
    for _ in range(2):
        offered_at.append(desk.now_ms)
        await desk.misses(Missed.NO_ANSWER)
        await desk.passes(5_000)
    assert offered_at == [offered_at[0], offered_at[0] + 5_000]
    assert desk.offered() == [("call", "8001"), ("other", "8001")]
    agent = await desk.agent("8001")
    assert (agent.intent, agent.reason) == (Intent.NOT_READY, "rona")
    assert [await desk.acd.position(item) for item in ("call", "other")] == [1, 2]
    await desk.passes(600_000)
    assert len(desk.offers) == 2


async def test_07_outside_phone_that_nobody_confirms_has_missed_the_caller(desk: Desk) -> None:
    await desk.staff({"mobile": {}, "8002": {}}, "any")
    await desk.calls("call")
    assert await desk.misses(Missed.UNCONFIRMED) is True
    assert desk.offered() == [("call", "mobile"), ("call", "8002")]
    assert (await desk.agent("mobile")).misses == 1


@pytest.mark.parametrize("intent", [Intent.NOT_READY, Intent.LOGGED_OUT])
@pytest.mark.parametrize("ends", ["answered", "missed", "withdrawn", "lapsed"])
async def test_08_intent_that_changes_during_an_offer_stays_however_it_ends(
    desk: Desk, intent: Intent, ends: str
) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    await desk.acd.agent("8001", intent=intent, reason="home")
    match ends:
        case "answered":
            assert await desk.acd.accept(desk.last.token) is True
            await desk.acd.leave("call", reason="completed")
        case "missed":
            await desk.misses(Missed.NO_ANSWER)
        case "withdrawn":
            await desk.acd.withdraw("call", "abandoned_ringing")
        case _:
            await desk.passes(LEASE_MS)
    await desk.passes(120_000)
    agent = await desk.agent("8001")
    assert (agent.intent, agent.reason, agent.work, agent.ready) == (intent, "home", Work.IDLE, ())
    assert len(desk.offers) == 1


async def test_09_agent_of_an_engine_that_died_is_free_when_the_lease_is_over(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    dead = Desk(desk.line, "dead")
    dead.now_ms = desk.now_ms
    await dead.calls("rings")
    await dead.calls("waits for nobody")
    await desk.passes(LEASE_MS)
    await desk.passes(10_000)
    for item in await desk.acd.adopt("dead"):
        await desk.acd.withdraw(item.id, "caller is gone")
    assert [agent.ready for agent in await desk.acd.agents()] == [("voice",), ("voice",)]
    assert {event["reason"] for event in await desk.journal("offer.missed")} == {"lease"}


async def test_10_wrap_up_starts_when_the_agent_leaves_and_neither_login_nor_pause_nor_ticks_change_its_end(
    desk: Desk,
) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    await desk.acd.accept(desk.last.token)
    await desk.passes(100_000)
    await desk.acd.leave("call", reason="completed_by_caller")
    until = desk.now_ms + WRAPUP_MS
    for change in (Intent.NOT_READY, Intent.LOGGED_OUT, Intent.READY):
        await desk.passes(1_000)
        await desk.acd.agent("8001", intent=change)
        assert (await desk.agent("8001")).wrapup_until_ms == until
    await desk.passes(until - desk.now_ms - 1)
    assert (await desk.agent("8001")).work == Work.WRAPUP
    await desk.passes(1)
    assert (await desk.agent("8001")).work == Work.IDLE


async def test_10_wrap_up_is_extended_and_skipped(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    assert await desk.acd.wrapup("8001", 5_000) is None
    await desk.calls("call")
    await desk.acd.accept(desk.last.token)
    await desk.acd.leave("call", reason="completed")
    assert await desk.acd.wrapup("8001", 60_000) == WRAPUP_MS + 60_000
    await desk.passes(WRAPUP_MS + 59_999)
    assert (await desk.agent("8001")).work == Work.WRAPUP
    assert await desk.acd.wrapup("8001", 0) == 0
    assert (await desk.agent("8001")).ready == ("voice",)


async def test_23_reservation_that_redis_lost_is_fenced_by_its_token(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    lost = desk.last.token
    await desk.line.call("FLUSHALL")
    await desk.passes(1)
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    assert desk.last.token > lost
    assert await desk.acd.accept(lost) is False
    assert await desk.acd.accept(desk.last.token) is True


async def test_23_everything_of_a_domain_has_one_hash_tag_and_no_key_expires(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}}, "sales")
    terms = policy("sales", place_kept_ms=1_000, order=Order.LINEAR)
    for number in range(3):
        await desk.calls(f"call-{number}", terms, who="digest", data="data")
    await desk.acd.withdraw("call-1", "abandoned", keep_place=True)
    keys = await desk.line.call("KEYS", "*")
    assert all(key.startswith((inside.PREFIX, inside.JOURNAL, inside.LIBRARIES)) for key in keys)
    assert {await desk.line.call("TTL", key) for key in keys} == {-1}


Verb = Callable[[Desk], Awaitable[bool]]


async def _limit(desk: Desk) -> bool:
    before = len(desk.released)
    await desk.passes(0)
    return len(desk.released) > before


async def _hangs_up(desk: Desk) -> bool:
    return await desk.acd.withdraw("call", "abandoned")


async def _supervisor(desk: Desk) -> bool:
    return await desk.acd.release("call", "moved", target="queue:other", actor="anna")


async def _agent_comes(desk: Desk) -> bool:
    await desk.ready("8001")
    return bool(desk.offers) and await desk.acd.accept(desk.last.token)


@pytest.mark.parametrize("order", list(permutations([_limit, _hangs_up, _supervisor, _agent_comes])))
async def test_24_limit_hang_up_supervisor_and_agent_in_one_millisecond_are_one_end(
    desk: Desk, order: tuple[Verb, ...]
) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.calls("call", policy("any", max_wait_ms=10_000), closes_in_ms=10_000)
    desk.now_ms += 10_000
    assert [await verb(desk) for verb in order] == [True, False, False, False], "the first wins, the others are told"
    talking = await desk.item("call")
    assert (talking is not None) == (order[0] is _agent_comes)
    assert len(await desk.journal("item.ended")) == (talking is None)


async def test_25_a_caller_who_is_requeued_missed_and_let_go_is_one_caller_with_one_end(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call", policy("any", max_wait_ms=60_000))
    await desk.misses(Missed.REJECTED)
    await desk.misses(Missed.NO_ANSWER)
    await desk.acd.defer("call", 1_000, "key pressed")
    await desk.passes(61_000)
    await desk.acd.withdraw("call", "abandoned")
    kinds = Counter(event["type"] for event in await desk.journal() if event["call"] == "call")
    assert kinds == {
        "item.enqueued": 1, "offer.created": 2, "offer.missed": 2, "item.deferred": 1, "item.returned": 1,
        "item.ended": 1,
    }  # fmt: skip
    [ended] = await desk.journal("item.ended")
    assert ended["reason"] == "timed_out", "and is no abandoned call"
