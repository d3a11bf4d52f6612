"""Days that tests play, and what must hold of every one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from engine.redis_line import RedisLine
from engine.simulation.day import Day
from engine.simulation.people import Call
from engine.simulation.scenario import read_scenario

# Who is to be served first, at a moment: the least of these.
Key = Callable[[Call, int], tuple[int, ...]]


async def play(line: RedisLine, folder: Path, scenario: dict[str, Any], *changes: str) -> Day:
    """The day of a scenario."""
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(scenario, sort_keys=False))
    day = Day(read_scenario(path, changes), line, domain="simulation")
    await day.play()
    return day


def one_skill(*, agents: int, hours: int, rate: float, patience: str | None = None) -> dict[str, Any]:
    """M/M/n, or M/M/n+M: agents who answer at once and need no wrap-up; three minutes a call."""
    callers = {"rate": rate, "handle": "180s"}
    return {
        "duration": f"{hours}h",
        "queues": {"q": {"require": "any", "wrap_up": 0, "max_wait": "100h"}},
        "crews": {"a": {"count": agents}},
        "staff": {"everybody": {"answers_after": 0}},
        "calls": {"q": callers | ({"patience": patience} if patience else {})},
    }


def served_out_of_turn(day: Day, key: Key) -> list[tuple[int, str, str]]:
    """When, whom, and who was waiting and should have been offered the agent instead; where all agents can do all."""
    arrived = sorted(day.calls.values(), key=lambda call: call.arrived_ms)
    waiting: dict[str, Call] = {}
    found, next_one = [], 0
    for at_ms, offer in day.offers:
        while next_one < len(arrived) and arrived[next_one].arrived_ms <= at_ms:
            waiting[arrived[next_one].id] = arrived[next_one]
            next_one += 1
        for gone in [each for each in waiting.values() if each.arrived_ms + each.wait_ms < at_ms]:
            del waiting[gone.id]
        chosen = waiting.pop(offer.item)
        # Whoever came or went within this very millisecond may have done so after it.
        there = (each for each in waiting.values() if each.arrived_ms < at_ms < each.arrived_ms + each.wait_ms)
        found += [(at_ms, chosen.id, each.id) for each in there if key(each, at_ms) < key(chosen, at_ms)]
    return found
