"""What a simulated day proves of the ACD: who is served first, who waits no longer than they may, who is treated
alike."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

from engine.redis_line import RedisLine
from engine.simulation.chance import Duration, Rate, arrivals, stream
from engine.simulation.day import Day
from engine.simulation.people import Call, Outcome
from engine.simulation.report import report_of
from tests.acd.played import play, served_out_of_turn
from tests.acd.queueing import first_come

LIMIT_S = 600
QUEUE = {"require": "any", "wrap_up": 0, "max_wait": "100h"}


def shared(queues: dict[str, dict[str, Any]], calls: dict[str, dict[str, Any]], *, hours: int) -> dict[str, Any]:
    """Six agents who can all answer everybody, 120 calls an hour at the most."""
    return {
        "duration": f"{hours}h",
        "queues": {name: QUEUE | settings for name, settings in queues.items()},
        "crews": {"a": {"count": 6}},
        "staff": {"everybody": {"answers_after": 0}},
        "calls": {name: {"handle": "180s"} | settings for name, settings in calls.items()},
    }


def of(day: Day, name: str) -> list[Call]:
    return [call for call in day.calls.values() if call.caller_class == name]


def mean_wait_s(calls: list[Call]) -> float:
    return fmean(call.wait_ms for call in calls) / 1000


def longest_s(calls: list[Call]) -> float:
    return max(call.wait_ms for call in calls) / 1000


async def test_queues_that_share_their_agents_are_one_line_and_wait_alike(line: RedisLine, tmp_path: Path) -> None:
    day = await play(line, tmp_path, shared({"a": {}, "b": {}}, {"a": {"rate": 42}, "b": {"rate": 42}}, hours=8))
    inside = sorted(day.calls.values(), key=lambda call: call.arrived_ms)
    assert [call.wait_ms for call in inside] == [
        wait for wait, _ in first_come(((call.arrived_ms, call.handle_ms, None) for call in inside), 6)
    ]
    difference = mean_wait_s(of(day, "a")) - mean_wait_s(of(day, "b"))
    assert abs(difference) <= 3 * stdev(differences_by_chance(hours=8, rate=42))


def differences_by_chance(*, hours: int, rate: float) -> list[float]:
    """In seconds: how far apart the mean waits of two halves of one line are on other days of the same kind."""
    found, talk = [], Duration(180_000)
    for seed in range(1, 61):
        chance = stream(seed, "talk")
        both = sorted(
            (at, name) for name in "ab" for at in arrivals([Rate(0, hours * 3_600_000, rate)], stream(seed, name))
        )
        waits: dict[str, list[int]] = {"a": [], "b": []}
        ends = first_come(((at, talk.draw(chance), None) for at, _ in both), 6)
        for (_, name), (wait, _) in zip(both, ends, strict=True):
            waits[name].append(wait)
        found.append((fmean(waits["a"]) - fmean(waits["b"])) / 1000)
    return found


async def test_a_head_start_counts_as_having_waited_so_long_and_starves_nobody(line: RedisLine, tmp_path: Path) -> None:
    calls = {"vip": {"queue": "q", "rate": 30, "head_start": "5m"}, "plain": {"queue": "q", "rate": 84}}
    day = await play(line, tmp_path, shared({"q": {}}, calls, hours=6))
    head_start_ms = {"vip": 300_000, "plain": 0}
    assert served_out_of_turn(day, lambda call, _: (call.arrived_ms - head_start_ms[call.caller_class],)) == []
    assert mean_wait_s(of(day, "vip")) < mean_wait_s(of(day, "plain")) / 2
    # It is no strict priority: somebody of the plain was served before a vip who had come before them.
    assert served_out_of_turn(day, lambda call, _: (call.caller_class != "vip", call.arrived_ms)) != []


def strict(**plain: Any) -> dict[str, Any]:
    """Gold alone is more than the agents can do, and goes before everybody."""
    queues = {"gold": {"strict": 5}, "plain": plain}
    return shared(queues, {"gold": {"rate": 150, "patience": "10m"}, "plain": {"rate": 12}}, hours=4)


async def test_strict_priority_without_a_limit_starves_whoever_comes_after(line: RedisLine, tmp_path: Path) -> None:
    day = await play(line, tmp_path, strict())
    strictness = {"gold": -5, "plain": 0}
    assert served_out_of_turn(day, lambda call, _: (strictness[call.queue], call.arrived_ms)) == []
    assert longest_s(of(day, "plain")) > 4 * LIMIT_S
    assert mean_wait_s(of(day, "gold")) < LIMIT_S


async def test_the_hard_limit_of_a_class_holds_though_everybody_else_is_strictly_before_it(
    line: RedisLine, tmp_path: Path
) -> None:
    day = await play(line, tmp_path, strict(served_within=LIMIT_S))
    strictness = {"gold": -5, "plain": 0}

    def key(call: Call, at_ms: int) -> tuple[int, ...]:
        overdue = call.queue == "plain" and at_ms >= call.arrived_ms + LIMIT_S * 1000
        return not overdue, strictness[call.queue], call.arrived_ms

    assert served_out_of_turn(day, key) == []
    assert_next_when_overdue(day, {"plain": LIMIT_S})
    assert longest_s(of(day, "plain")) < 1.5 * LIMIT_S
    assert all(call.outcome is Outcome.ANSWERED for call in of(day, "plain"))


@pytest.mark.parametrize(
    ("own", "tiers"), [({"served_within": 120}, {}), ({"tier": "gold"}, {"gold": {"served_within": 120}})]
)
async def test_the_hard_limit_of_a_tier_holds_in_a_queue_that_it_shares_with_everybody(
    own: dict[str, Any], tiers: dict[str, Any], line: RedisLine, tmp_path: Path
) -> None:
    calls = {"gold": {"queue": "q", "rate": 18} | own, "plain": {"queue": "q", "rate": 150, "patience": "10m"}}
    day = await play(line, tmp_path, shared({"q": {}}, calls, hours=4) | {"tiers": tiers})

    def key(call: Call, at_ms: int) -> tuple[int, ...]:
        overdue = call.caller_class == "gold" and at_ms >= call.arrived_ms + 120_000
        return not overdue, call.arrived_ms

    assert served_out_of_turn(day, key) == []
    assert_next_when_overdue(day, {"gold": 120})
    assert mean_wait_s(of(day, "gold")) < 1.2 * 120 < mean_wait_s(of(day, "plain"))
    assert [row.served_within_s for row in report_of(day).classes] == [120, None]


async def test_where_limits_differ_whoever_came_to_theirs_first_is_first(line: RedisLine, tmp_path: Path) -> None:
    limit_s = {"gold": 120, "plain": 300}
    calls = {"gold": {"queue": "q", "rate": 18, "served_within": 120}, "plain": {"queue": "q", "rate": 132}}
    calls["plain"]["patience"] = "20m"
    day = await play(line, tmp_path, shared({"q": {"served_within": 300}}, calls, hours=4))

    def key(call: Call, at_ms: int) -> tuple[int, ...]:
        due_ms = call.arrived_ms + limit_s[call.caller_class] * 1000
        return at_ms < due_ms, due_ms if at_ms >= due_ms else call.arrived_ms

    assert served_out_of_turn(day, key) == []
    assert_next_when_overdue(day, limit_s)
    assert [row.served_within_s for row in report_of(day).classes] == list(limit_s.values())


def assert_next_when_overdue(day: Day, limit_s: dict[str, int]) -> None:
    """Whoever is overdue gets the very next agent, and where several are, the next but one and so on."""
    between_agents_s = longest_between_agents_s(day)
    due_ms = {id_: call.arrived_ms + limit_s[call.caller_class] * 1000
              for id_, call in day.calls.items() if call.caller_class in limit_s}  # fmt: skip
    ended_ms = {id_: day.calls[id_].arrived_ms + day.calls[id_].wait_ms for id_ in due_ms}
    overdue = [id_ for id_ in due_ms if ended_ms[id_] > due_ms[id_]]
    for id_ in overdue:
        before = sum(due_ms[other] < due_ms[id_] < ended_ms[other] for other in overdue)
        late_s = (ended_ms[id_] - due_ms[id_]) / 1000
        assert late_s <= (1 + before) * between_agents_s, (day.calls[id_], before, between_agents_s)
    assert len(overdue) > 20  # the limit was needed


def longest_between_agents_s(day: Day) -> float:
    """The longest time that passed until an agent was free, while somebody was waiting for one."""
    waits = [(call.arrived_ms, call.arrived_ms + call.wait_ms) for call in day.calls.values()]
    return max(
        (later - earlier) / 1000
        for (earlier, _), (later, _) in pairwise(day.offers)
        if any(came <= earlier and later <= went for came, went in waits)
    )


async def test_longest_idle_shares_the_rest_among_agents_and_linear_does_not(line: RedisLine, tmp_path: Path) -> None:
    spreads = {}
    for strategy in ("longest_idle", "linear"):
        await line.call("FLUSHALL")
        day = await play(line, tmp_path, shared({"q": {"strategy": strategy}}, {"q": {"rate": 72}}, hours=6))
        idle = report_of(day).agents.idle_s
        assert idle is not None
        spreads[strategy] = (idle.most - idle.least) / idle.mean
        assert len(day.calls) > 300
    assert spreads["longest_idle"] < 0.4
    assert spreads["linear"] > 3 * spreads["longest_idle"]
