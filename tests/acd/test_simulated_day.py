"""A simulated day: agents' hours and habits, queues' rules, what-if, and what the report says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.acd import Intent
from engine.redis_line import RedisLine
from engine.simulation.day import Day
from engine.simulation.people import Outcome
from engine.simulation.report import percentile, report_of
from tests.acd.played import one_skill, play

HOUR_MS = 3_600_000


def office(**staff: Any) -> dict[str, Any]:
    return {
        "hours": "9:00-13:00",
        "queues": {"q": {"require": "any", "ring": "15s", "wrap_up": "20s"}},
        "crews": {"a": {"count": 4}},
        "staff": {"everybody": {"answers_after": "4s"} | staff},
        "calls": {"q": {"rate": 50, "handle": {"mean": "3m", "shape": "lognormal"}, "patience": "5m"}},
    }


def ends(day: Day) -> list[tuple[str, Outcome | None, int, str]]:
    return [(call.id, call.outcome, call.wait_ms, call.agent) for call in day.calls.values()]


async def test_the_same_seed_is_the_same_day_and_another_seed_another_day(line: RedisLine, tmp_path: Path) -> None:
    first = await play(line, tmp_path, office(ignores=0.05))
    await line.call("FLUSHALL")
    assert ends(await play(line, tmp_path, office(ignores=0.05))) == ends(first)
    await line.call("FLUSHALL")
    assert ends(await play(line, tmp_path, office(ignores=0.05), "seed=2")) != ends(first)


async def test_one_agent_less_is_asked_of_the_very_same_callers(line: RedisLine, tmp_path: Path) -> None:
    four = await play(line, tmp_path, office())
    await line.call("FLUSHALL")
    three = await play(line, tmp_path, office(), "crews.a.count=3")
    came = [
        [(call.id, call.arrived_ms, call.handle_ms, call.patience_ms) for call in day.calls.values()]
        for day in (four, three)
    ]
    assert came[0] == came[1]
    assert list(three.agents) == ["a-1", "a-2", "a-3"]
    before, after = report_of(four).total, report_of(three).total
    assert after.abandoned > before.abandoned
    assert (after.asa_s or 0) > (before.asa_s or 0)


async def test_nobody_is_offered_a_call_before_work_after_it_or_on_a_break(line: RedisLine, tmp_path: Path) -> None:
    day = await play(line, tmp_path, office(works="9:30-12:30", breaks="11:00-11:15"))
    assert len(day.offers) > 100
    for at_ms, offer in day.offers:
        assert day.agents[offer.agent].duty.intent(at_ms) is Intent.READY
    # Who waits when all of them go home is not served.
    late = [call for call in day.calls.values() if call.arrived_ms > 12.5 * HOUR_MS]
    assert late
    assert {call.outcome for call in late} <= {Outcome.ABANDONED, Outcome.TIMED_OUT}


async def test_callers_whose_flow_minds_that_nobody_is_there_do_not_wait_for_nobody(
    line: RedisLine, tmp_path: Path
) -> None:
    scenario = office(works="9:30-12:30") | {"crews": {"a": {"count": 2}}}  # too few: some wait when they go home
    scenario["calls"]["q"] |= {"leave_when": ["no_agents"], "patience": "1h"}
    day = await play(line, tmp_path, scenario)
    grace_ms = 3_000
    for call in day.calls.values():
        gone_ms = call.arrived_ms + call.wait_ms
        if not 9.5 * HOUR_MS <= call.arrived_ms < 12.5 * HOUR_MS:
            assert (call.outcome, call.why, call.wait_ms) == (Outcome.REFUSED, "no_agents", 0)
        elif call.outcome is Outcome.RELEASED:
            assert (call.why, gone_ms) == ("no_agents", 12.5 * HOUR_MS + grace_ms)
    total = report_of(day).total
    assert total.refused > 10
    assert total.released > 2
    assert total.unserved == 0


async def test_offers_ring_out_at_the_share_that_was_asked_for_and_their_callers_are_answered_by_others(
    line: RedisLine, tmp_path: Path
) -> None:
    day = await play(line, tmp_path, office(ignores=0.3, returns_after="2m") | {"crews": {"a": {"count": 8}}})
    ignored = sum(agent.ignored for agent in day.agents.values())
    expected = 0.3 * len(day.offers)
    assert ignored == pytest.approx(expected, abs=4 * (expected * 0.7) ** 0.5)
    assert all(call.wait_ms >= 15_000 for call in day.calls.values() if call.ignored)
    again = [call for call in day.calls.values() if call.ignored and call.outcome is Outcome.ANSWERED]
    assert len(again) > 30
    # Three in a row set an agent not ready, who comes back.
    assert report_of(day).agents.set_not_ready > 0
    assert all(agent.answered > 0 for agent in day.agents.values())


async def test_where_several_phones_ring_at_once_one_answers_and_the_others_are_free_and_not_charged(
    line: RedisLine, tmp_path: Path
) -> None:
    scenario = office() | {"crews": {"a": {"count": 8}}}
    one = await play(line, tmp_path, scenario)
    await line.call("FLUSHALL")
    scenario["queues"]["q"] |= {"ring_at_once": 3}
    three = await play(line, tmp_path, scenario)
    assert len(three.offers) > 2 * len(one.offers)
    answered = [call for call in three.calls.values() if call.outcome is Outcome.ANSWERED]
    assert sum(agent.answered for agent in three.agents.values()) == len(answered)
    assert sum(agent.ignored for agent in three.agents.values()) < len(one.calls) / 20
    assert all(agent.at_hand <= 1 for agent in three.agents.values())
    # The first of three who answer after four seconds on average does so after a third of that.
    assert (report_of(three).total.p50_s or 0) < 0.6 * (report_of(one).total.p50_s or 0)


async def test_the_longest_wait_and_the_capacity_of_a_queue_hold(line: RedisLine, tmp_path: Path) -> None:
    scenario = office()
    scenario["queues"]["q"] |= {"max_wait": "90s", "capacity": 6}
    scenario["calls"]["q"] |= {"rate": 150, "patience": "1h"}
    day = await play(line, tmp_path, scenario)
    total = report_of(day).total
    assert total.timed_out > 20
    assert total.refused > 20
    for call in day.calls.values():
        if call.outcome is Outcome.REFUSED:
            assert (call.why, call.wait_ms) == ("full", 0)
        elif call.outcome is Outcome.TIMED_OUT:
            assert 90_000 <= call.wait_ms <= 105_000  # an offer under way may ring to its end


async def test_the_report_counts_everybody_once_and_its_occupancy_is_the_load(line: RedisLine, tmp_path: Path) -> None:
    day = await play(line, tmp_path, one_skill(agents=6, hours=6, rate=84, patience="3m"))
    report = report_of(day)
    total = report.total
    assert total.offered == len(day.calls) == report.classes[0].offered
    assert total.offered == total.answered + total.abandoned
    assert total.longest_s == max(call.wait_ms for call in day.calls.values()) / 1000
    in_time = sum(call.outcome is Outcome.ANSWERED and call.wait_ms <= 20_000 for call in day.calls.values())
    short = sum(call.outcome is Outcome.ABANDONED and call.wait_ms < 5_000 for call in day.calls.values())
    assert total.service_level == in_time / (total.offered - short)
    talked_ms = sum(call.handle_ms for call in day.calls.values() if call.outcome is Outcome.ANSWERED)
    assert report.agents.occupancy is not None
    assert report.agents.occupancy.mean == pytest.approx(talked_ms / (6 * day.now_ms), rel=0.001)
    # Longest idle first: nobody of them has a much better day than another.
    assert report.agents.occupancy.most - report.agents.occupancy.least < 0.15
    assert [share.of_agents_time for share in report.queues] == [1.0]


def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() -> None:
    assert [percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], share) for share in (0.5, 0.9, 0.95, 1.0)] == [5, 9, 10, 10]
    assert percentile([7], 0.5) == 7
    assert percentile([], 0.5) is None
