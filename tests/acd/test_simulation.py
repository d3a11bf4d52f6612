"""Simulated days are held against queueing theory: exactly, caller by caller, and against Erlang's formulae."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev

from engine.redis_line import RedisLine
from engine.simulation.chance import Duration, Rate, arrivals, stream
from engine.simulation.day import Day
from engine.simulation.people import Outcome
from tests.acd.played import one_skill, play
from tests.acd.queueing import ErlangA, ErlangC, first_come

Waits = Sequence[tuple[int, bool]]  # each caller's wait in ms, and whether they were answered
TALK = Duration(180_000)
OTHER_DAYS = 100
HOURS = 12


def callers(day: Day) -> Iterator[tuple[int, int, int | None]]:
    for call in day.calls.values():
        yield call.arrived_ms, call.handle_ms, call.patience_ms


def waits(day: Day) -> Waits:
    return [(call.wait_ms, call.outcome is Outcome.ANSWERED) for call in day.calls.values()]


def other_days(*, agents: int, rate: float, patience: Duration | None = None) -> list[Waits]:
    """Days of the same kind without the ACD: how far one day's figures are from the mean by chance alone."""
    days: list[Waits] = []
    for seed in range(1, OTHER_DAYS + 1):
        chance = stream(seed, "other days")
        moments = arrivals([Rate(0, HOURS * 3_600_000, rate)], stream(seed, "arrivals"))
        people = ((at, TALK.draw(chance), patience.draw(chance) if patience else None) for at in moments)
        days.append(list(first_come(people, agents)))
    return days


def assert_as_foretold(day: Waits, others: list[Waits], figure: Callable[[Waits], float], foretold: float) -> None:
    """One day's figure is within three standard errors of the formula; the mean of all the other days too, and theirs
    is small enough to tell a wrong formula, or a wrong ACD, from a right one."""
    figures = [figure(other) for other in others]
    error = stdev(figures)
    assert abs(figure(day) - foretold) <= 3 * error, (figure(day), foretold, error)
    assert abs(fmean(figures) - foretold) <= 3 * error / OTHER_DAYS**0.5, (fmean(figures), foretold, error)
    assert error / OTHER_DAYS**0.5 < 0.05 * foretold


def share(of: Waits, within_ms: int) -> float:
    return fmean(answered and wait <= within_ms for wait, answered in of)


def asa_s(of: Waits) -> float:
    return fmean(wait for wait, answered in of if answered) / 1000


async def test_one_skill_is_first_come_first_served_and_gives_what_erlang_c_says(
    line: RedisLine, tmp_path: Path
) -> None:
    day = await play(line, tmp_path, one_skill(agents=6, hours=HOURS, rate=84))
    assert len(day.calls) > 900
    assert waits(day) == list(first_come(callers(day), 6))

    others, erlang = other_days(agents=6, rate=84), ErlangC(agents=6, load=84 / 20)
    assert_as_foretold(waits(day), others, lambda of: 1 - share(of, 0), erlang.waits)
    assert_as_foretold(waits(day), others, asa_s, erlang.asa * 180)
    assert_as_foretold(waits(day), others, lambda of: share(of, 20_000), erlang.answered_within(20 / 180))


async def test_callers_who_lose_patience_give_up_as_erlang_a_says(line: RedisLine, tmp_path: Path) -> None:
    # Six erlang: six agents could never do it all if nobody gave up.
    day = await play(line, tmp_path, one_skill(agents=6, hours=HOURS, rate=120, patience="240s"))
    assert len(day.calls) > 1_300
    assert waits(day) == list(first_come(callers(day), 6))

    others = other_days(agents=6, rate=120, patience=Duration(240_000))
    erlang = ErlangA(agents=6, load=6.0, patience=240 / 180)
    assert_as_foretold(waits(day), others, lambda of: fmean(not answered for _, answered in of), erlang.abandons)
    assert_as_foretold(waits(day), others, asa_s, erlang.asa * 180)
    assert_as_foretold(waits(day), others, lambda of: 1 - share(of, 0), erlang.waits)
