"""What chance decides in a simulated day."""

from __future__ import annotations

from itertools import islice, pairwise
from statistics import fmean, stdev

import pytest

from engine.simulation.chance import Duration, Rate, Shape, arrivals, stream

HOUR_MS = 3_600_000
MANY = 50_000


def draw(duration: Duration) -> list[int]:
    chance = stream(1, "test")
    return [duration.draw(chance) for _ in range(MANY)]


@pytest.mark.parametrize(
    ("duration", "deviation_ms"),
    [
        (Duration(180_000), 180_000),
        (Duration(180_000, Shape.LOGNORMAL, 90_000), 90_000),
        (Duration(180_000, Shape.LOGNORMAL, 240_000), 240_000),
        (Duration(4_000, Shape.FIXED), 0),
    ],
    ids=str,
)
def test_durations_have_the_mean_and_the_deviation_that_are_asked_for(duration: Duration, deviation_ms: float) -> None:
    drawn = draw(duration)
    assert fmean(drawn) == pytest.approx(duration.mean_ms, rel=0.02)
    assert stdev(drawn) == pytest.approx(deviation_ms, rel=0.08)
    assert min(drawn) >= 0


def test_a_duration_of_nothing_is_nothing() -> None:
    assert set(draw(Duration(0))) == {0}


def test_callers_come_at_the_rate_of_the_hour_and_not_outside_of_the_hours() -> None:
    rates = [Rate(9 * HOUR_MS, 10 * HOUR_MS, 4_000), Rate(11 * HOUR_MS, 13 * HOUR_MS, 1_000)]
    moments = list(arrivals(rates, stream(3, "arrivals")))
    first = [moment for moment in moments if moment < 10 * HOUR_MS]
    second = [moment for moment in moments if moment >= 11 * HOUR_MS]
    assert len(first) + len(second) == len(moments)
    assert min(moments) >= 9 * HOUR_MS
    assert max(moments) < 13 * HOUR_MS
    # A Poisson count deviates by its root: four of them
    assert len(first) == pytest.approx(4_000, abs=4 * 4_000**0.5)
    assert len(second) == pytest.approx(2_000, abs=4 * 2_000**0.5)
    gaps = [later - earlier for earlier, later in pairwise(first)]
    assert stdev(gaps) == pytest.approx(fmean(gaps), rel=0.06)  # exponential: without memory


def test_twice_the_rate_brings_the_same_callers_twice_as_early() -> None:
    once = list(islice(arrivals([Rate(0, 100 * HOUR_MS, 50)], stream(5, "arrivals")), 200))
    twice = list(islice(arrivals([Rate(0, 100 * HOUR_MS, 100)], stream(5, "arrivals")), 200))
    assert [moment // 2 for moment in once] == pytest.approx(twice, abs=1)


def test_the_same_seed_and_purpose_draw_the_same_and_others_do_not() -> None:
    assert stream(1, "sales", "talk").random() == stream(1, "sales", "talk").random()
    assert len({stream(seed, *whose).random() for seed in (1, 2) for whose in (("a", "b"), ("a", "c"), ("ab",))}) == 6
