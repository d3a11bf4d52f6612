"""Those who look around now and then wake together."""

from __future__ import annotations

import asyncio

import pytest

from engine.beat import until_beat_s


@pytest.mark.parametrize(("now", "every", "expected"), [(10.0, 0.5, 0.5), (10.2, 0.5, 0.3), (10.2, 0.25, 0.05)])
async def test_who_looks_every_half_second_wakes_with_who_looks_twice_as_often(
    monkeypatch: pytest.MonkeyPatch, now: float, every: float, expected: float
) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    assert until_beat_s(every) == pytest.approx(expected)


async def test_a_timer_that_fires_a_little_early_does_not_wake_anybody_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: 10.499)
    assert until_beat_s(0.5) == pytest.approx(0.501)
