"""Time that jumps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.simulator.clock import NothingHappens, VirtualLoop


def on_virtual_time(work: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def test_an_hour_is_over_at_once() -> None:
    async def wait() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert on_virtual_time(wait()) == 3600
    assert time.monotonic() - began < 5


@given(st.lists(st.floats(min_value=0, max_value=10_000), min_size=1, max_size=20))
def test_timers_go_off_in_their_order_and_at_their_time(delays: list[float]) -> None:
    async def wait() -> list[tuple[float, float]]:
        loop = asyncio.get_running_loop()
        went_off: list[tuple[float, float]] = []

        async def one(delay: float) -> None:
            await asyncio.sleep(delay)
            went_off.append((delay, loop.time()))

        await asyncio.gather(*map(one, delays))
        return went_off

    went_off = on_virtual_time(wait())
    assert [delay for delay, _ in went_off] == pytest.approx(sorted(delays), abs=1e-6)
    assert all(at == pytest.approx(delay, abs=1e-6) for delay, at in went_off)


def test_a_deadline_passes_without_waiting_for_it() -> None:
    async def wait() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert on_virtual_time(wait()) == 30


def test_work_for_a_thread_is_done_before_the_clock_goes_on() -> None:
    async def wait() -> tuple[str, float]:
        async with asyncio.timeout(1):
            done = await asyncio.to_thread(lambda: "done")
        return done, asyncio.get_running_loop().time()

    assert on_virtual_time(wait()) == ("done", 0)


def test_what_could_never_end_is_told() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(NothingHappens):
        on_virtual_time(wait())
