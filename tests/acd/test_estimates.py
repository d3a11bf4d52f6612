"""How well the waits that callers are told come true, over random traffic; and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import fmean

import pytest

from engine.acd import Device, Intent, Missed
from engine.acd.states import Accuracy
from tests.acd.desk import Desk, policy
from tests.acd.traffic import Source, Told, Traffic

HOUR = 3_600_000
TALK = 180_000


def agents(count: int, *skills: str) -> dict[str, dict[str, int]]:
    return {f"80{n:02}": dict.fromkeys(skills, 5) for n in range(1, count + 1)}


def within(told: list[Told]) -> float:
    return fmean(t.estimate.low_ms <= t.took <= t.estimate.high_ms for t in told)


def within_words(told: list[Told]) -> float:
    return fmean(t.said[0] <= t.took <= t.said[1] for t in told if t.said)


def reckoned(told: Told) -> float:
    return told.estimate.likely_ms


def usual(told: Told) -> float:
    """What most systems say: whoever is in front and oneself, times the mean handle time, by the agents."""
    figures = told.figures
    return figures.position * figures.handle_ms / figures.handled / figures.staffed


def error(told: list[Told], by: Callable[[Told], float] = reckoned) -> float:
    return fmean(abs(t.took - by(t)) for t in told)


def bias(told: list[Told], by: Callable[[Told], float] = reckoned) -> float:
    return fmean(t.took - by(t) for t in told) / fmean(t.took for t in told)


BUSY = Source("sales", "sales", TALK / 5 / 0.95)
SCENES = {
    # name: agents, callers, hours
    "one queue": (agents(5, "sales"), [BUSY], 5),
    "one agent": (agents(1, "sales"), [replace(BUSY, every_ms=TALK / 0.9)], 16),
    "callers who give up": (agents(20, "sales"), [replace(BUSY, every_ms=TALK / 24, patience_ms=300_000)], 1.5),
    "agents who serve two queues": (
        agents(4, "sales", "service"),
        [Source(queue, queue, TALK / 2, patience_ms=600_000) for queue in ("sales", "service")],
        8,
    ),
    "callers who overtake": (
        agents(4, "sales"),
        [replace(BUSY, every_ms=TALK / 4 / 1.02, patience_ms=900_000, ahead=0.4)],
        6,
    ),
}


@pytest.mark.parametrize("scene", SCENES)
async def test_three_of_five_waits_end_in_the_range_and_more_in_the_words(desk: Desk, scene: str) -> None:
    crew, sources, hours = SCENES[scene]
    await desk.staff(crew, *(source.require for source in sources))
    traffic = Traffic(desk, *sources)
    told = await traffic.play(round(hours * HOUR))

    assert len(told) > 100
    assert 0.45 <= within(told) <= 0.75
    assert within_words(told) >= 0.65
    assert abs(bias(told)) < 0.25
    assert traffic.silent < 0.1 * len(told)


async def test_agents_who_serve_two_queues_are_not_counted_twice(desk: Desk) -> None:
    await desk.staff(agents(4, "sales", "service"), "sales", "service")
    sources = [Source(queue, queue, TALK / 2 / 1.1, patience_ms=1_800_000) for queue in ("sales", "service")]
    told = await Traffic(desk, *sources).play(8 * HOUR)
    assert 0.45 <= within(told) <= 0.75
    assert error(told) < 0.9 * error(told, usual)
    assert abs(bias(told)) < 0.5 * abs(bias(told, usual))


async def test_it_follows_agents_who_come_and_go(desk: Desk) -> None:
    """Half of them go home every other hour."""
    crew = agents(6, "sales")
    await desk.staff(crew, "sales")
    traffic = Traffic(desk, replace(BUSY, every_ms=TALK / 4.2, patience_ms=1_200_000))
    for hour in range(1, 8):
        for agent in list(crew)[3:]:
            traffic.shift(hour * HOUR, agent, Intent.LOGGED_OUT if hour % 2 else Intent.READY)
    told = await traffic.play(8 * HOUR)
    assert 0.45 <= within(told) <= 0.75
    assert abs(bias(told)) < 0.25


async def test_the_accuracy_that_is_shown_is_that_of_what_callers_were_told(desk: Desk) -> None:
    await desk.staff(agents(2, "sales"), "sales")
    traffic = Traffic(desk, replace(BUSY, every_ms=TALK / 2, patience_ms=300_000))
    await traffic.play(2 * HOUR)
    told = [t for t in traffic.told.values() if t.said and t.answered]

    assert await desk.acd.accuracy() == [
        Accuracy(
            "sales",
            len(told),
            sum(t.said[0] <= t.took <= t.said[1] for t in told if t.said),
            round(fmean(t.took for t in told)),
            round(error(told)),
            round(fmean(t.took - t.estimate.likely_ms for t in told)),
        )
    ]


async def test_what_somebody_was_told_first_is_measured_and_what_they_were_told_last_is_kept(desk: Desk) -> None:
    await desk.staff(agents(1, "sales"), "sales")
    await desk.calls("talking", "sales")
    await desk.acd.accept(desk.last.token)
    await desk.calls("waiting", "sales")
    assert (figures := await desk.acd.figures("waiting")) is not None
    assert (figures.position, figures.said_place, figures.said_ms) == (1, 0, None)

    await desk.acd.said("waiting", 1, low_ms=0, high_ms=60_000, likely_ms=40_000)
    desk.now_ms += 50_000
    await desk.acd.said("waiting", 1, low_ms=0, high_ms=5_000, likely_ms=4_000)
    desk.now_ms += 20_000
    assert (figures := await desk.acd.figures("waiting")) is not None
    assert (figures.said_place, figures.said_ms) == (1, -15_000)

    await desk.acd.leave("talking", reason="completed")
    await desk.passes(10_000)
    await desk.misses(Missed.NO_ANSWER, ring_ms=1)
    assert (figures := await desk.acd.figures("waiting")) is not None
    assert figures.said_place == 1, "a missed offer forgot what the caller was told"
    await desk.passes(60_000)
    await desk.acd.accept(desk.last.token)
    assert await desk.acd.accuracy() == [Accuracy("sales", 1, 0, 140_000, 100_000, 100_000)]


async def test_what_somebody_was_told_in_one_queue_holds_in_the_next(desk: Desk) -> None:
    """Also that somebody should have answered by now."""
    for item, said_in_ms in (("soon", 60_000), ("late", -5_000), ("only a place", None)):
        await desk.calls(item, "service", said_place=2, said_in_ms=said_in_ms)
        desk.now_ms += 1_000
        assert (figures := await desk.acd.figures(item)) is not None
        assert (figures.said_place, figures.said_ms) == (2, said_in_ms and said_in_ms - 1_000)
    await desk.staff(agents(1, "service"), "service")
    await desk.acd.accept(desk.last.token)
    assert await desk.acd.accuracy() == [], "what another queue said is not this one's to be measured by"


async def test_only_a_place_is_not_measured(desk: Desk) -> None:
    await desk.calls("waiting", "sales")
    await desk.acd.said("waiting", 1)
    await desk.staff(agents(1, "sales"), "sales")
    await desk.acd.accept(desk.last.token)
    assert await desk.acd.accuracy() == []


async def test_an_item_that_is_gone_is_told_nothing(desk: Desk) -> None:
    assert await desk.acd.figures("gone") is None
    assert not await desk.acd.said("gone", 1, low_ms=0, high_ms=60_000, likely_ms=30_000)


async def test_whoever_waits_for_one_agent_first_is_not_reckoned_by_the_queue(desk: Desk) -> None:
    """Nobody knows how long that agent will talk."""
    await desk.staff(agents(2, "sales"), "sales")
    for _ in range(2):
        await desk.calls(f"talking-{_}", "sales")
        await desk.acd.accept(desk.last.token)
    await desk.calls("loyal", policy("sales"), preferred="8001", patience_ms=60_000)
    assert (figures := await desk.acd.figures("loyal")) is not None
    assert (figures.position, figures.staffed) == (1, 0)
    await desk.passes(60_000)
    assert (figures := await desk.acd.figures("loyal")) is not None
    assert (figures.position, figures.staffed) == (1, 2)
    await desk.acd.agent("8002", intent=Intent.NOT_READY, device=Device.IDLE)
    assert (figures := await desk.acd.figures("loyal")) is not None
    assert figures.staffed == 1
