"""From figures to a range: what is believed at first, what is learned, and when nothing is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.acd.estimate import Estimate, _f_quantile, estimate
from engine.acd.states import Figures

MINUTE = 60_000
# Nobody has been served yet; two agents are busy.
FRESH = Figures(1, 2, 0, 0, 0, 0, 0, said_place=0, said_ms=None)
# Lately 50 left a line of two agents, one a minute; each took the agent two minutes and rang 4 s.
BUSY = Figures(1, 2, 50, 50 * 2 * MINUTE, 50, 50 * 2 * MINUTE, 50 * 4_000, said_place=0, said_ms=None)


def reckoned(figures: Figures) -> Estimate:
    found = estimate(figures)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("z", "events", "seen", "exact"),
    # scipy.stats.f.ppf(share, 2 * events, 2 * seen) of the shares 0.2, 0.5 and 0.8
    [
        (-0.8416, 1, 2, 0.236),
        (0.0, 1, 2, 0.828),
        (0.8416, 1, 2, 2.472),
        (-0.8416, 1, 30, 0.224),
        (0.8416, 1, 30, 1.653),
        (-0.8416, 5, 5, 0.578),
        (0.8416, 5, 5, 1.732),
        (0.8416, 20, 30, 1.267),
    ],
)
def test_a_quantile_of_f_is_as_tables_have_it(z: float, events: float, seen: float, exact: float) -> None:
    assert _f_quantile(z, events, seen) == pytest.approx(exact, rel=0.02)


def test_nothing_is_reckoned_for_who_does_not_wait_or_when_nobody_is_at_work() -> None:
    assert estimate(replace(BUSY, position=0)) is None
    assert estimate(replace(BUSY, staffed=0)) is None


def test_at_first_each_agent_is_believed_to_take_three_minutes() -> None:
    assert reckoned(FRESH).likely_ms == pytest.approx(1.5 * MINUTE, rel=0.2)
    assert reckoned(replace(FRESH, staffed=6)).likely_ms == pytest.approx(0.5 * MINUTE, rel=0.3)


def test_what_was_seen_of_the_line_outweighs_what_agents_could_do() -> None:
    """They also serve another queue, and get on at a third of their pace here."""
    shared = replace(BUSY, worked_ms=3 * BUSY.worked_ms, position=10)
    assert reckoned(shared).likely_ms == pytest.approx(30 * MINUTE, rel=0.1)


def test_the_wait_is_longer_further_back_and_shorter_with_more_agents() -> None:
    middles = [reckoned(replace(BUSY, position=position)).likely_ms for position in (1, 2, 5, 20)]
    assert middles == sorted(middles)
    assert reckoned(replace(BUSY, position=20, staffed=4)).likely_ms < 0.6 * middles[-1]


def test_the_more_was_seen_the_narrower_is_the_range() -> None:
    def width(figures: Figures) -> float:
        found = reckoned(figures)
        return found.high_ms / found.low_ms

    assert width(replace(FRESH, position=10)) > 1.5 * width(replace(BUSY, position=10))


def test_the_ringing_is_part_of_the_wait() -> None:
    slow_to_answer = replace(BUSY, ring_ms=50 * 14_000)
    assert reckoned(slow_to_answer).likely_ms - reckoned(BUSY).likely_ms == pytest.approx(10_000, rel=0.05)


def test_nobody_is_promised_an_answer_within_ten_seconds() -> None:
    at_once = replace(BUSY, worked_ms=1, handle_ms=1, ring_ms=0)
    assert reckoned(at_once).low_ms == 10_000


def test_only_overtakers_leaving_is_no_progress() -> None:
    """Redis takes overtakers off what left the line; by decay and rounding, a little more than all may be missing."""
    assert reckoned(replace(BUSY, served=-0.001)).likely_ms > reckoned(BUSY).likely_ms
