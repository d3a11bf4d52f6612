"""A place in line: what the ACD is told of it, and that nothing of it stays behind once it is given up."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.acd import Offer, Placement, Policy, Step
from engine.call.inbound import InboundCall
from engine.call.phase import Phase
from engine.call.place import LEASE_MARGIN_S, Place
from engine.call.record import CallRecord
from engine.config.models import Queue

NOW_MS = 1_763_761_507_000
OFFER = Offer("1-1abc", "1abc", "8001", "sales", 1)
SETTINGS = Queue(require="sales", ring=20, wrap_up=10)


class Line:
    """An ACD that notes what it is asked; `free` is whom it offers at once."""

    def __init__(self, free: Offer | None = None) -> None:
        self.free = free
        self.entered: dict[str, Any] = {}
        self.left: list[tuple[str, str]] = []

    async def enqueue(self, item: str, **asked: Any) -> Placement:
        self.entered = {"item": item, **asked}
        return Placement(0 if self.free else 1, (self.free,) if self.free else ())

    async def withdraw(self, item: str, reason: str) -> bool:
        self.left.append((item, reason))
        return True


def caller(line: Line) -> Any:
    record = CallRecord("1abc", "c1", "4008001234", phase=Phase.WAITING, queue="sales", head_start_s=300.0)
    saved: list[CallRecord] = []
    records = SimpleNamespace(save_now=saved.append)
    return SimpleNamespace(
        record=record,
        board=SimpleNamespace(acd=line, records=records),
        offers=asyncio.Queue[Offer](),
        now_ms=lambda: NOW_MS,
        saved=saved,
    )


def place_of(call: Any) -> Place:
    return Place(cast(InboundCall, call), SETTINGS, "sales >= 3")


@pytest.mark.parametrize(("waited_s", "waited_ms"), [(0.0, 0), (12.5, 12_500)])
async def test_time_spent_in_line_before_counts_beside_the_head_start(waited_s: float, waited_ms: int) -> None:
    line = Line()
    call = caller(line)
    assert await place_of(call).take(waited_s=waited_s) is None
    assert line.entered == {
        "item": "1abc",
        "queue": "sales",
        "policy": Policy(
            steps=(Step(0, "sales >= 3"),), lease_ms=round((20 + LEASE_MARGIN_S) * 1000), wrapup_ms=10_000
        ),
        "head_start_ms": 300_000,
        "waited_ms": waited_ms,
    }


async def test_who_waits_is_saved_at_once_and_who_is_offered_is_not() -> None:
    waiting, offered = caller(Line()), caller(Line(OFFER))
    assert await place_of(waiting).take() is None
    assert await place_of(offered).take() == OFFER
    assert (waiting.saved, offered.saved) == ([waiting.record], [])
    assert waiting.record.queued_ms == offered.record.queued_ms == NOW_MS


async def test_back_in_line_the_caller_has_been_queued_since_the_first_time() -> None:
    call = caller(Line())
    call.record.queued_ms = NOW_MS - 60_000
    await place_of(call).take()
    assert call.record.queued_ms == NOW_MS - 60_000


async def test_an_offer_ends_the_wait_and_patience_ends_it_too() -> None:
    call = caller(Line())
    place = place_of(call)
    waiting = asyncio.create_task(place.offer(20.0))
    call.offers.put_nowait(OFFER)
    assert await waiting == OFFER
    assert await place.offer(0.01) is None


async def test_an_offer_that_comes_while_the_place_is_given_up_is_nobodys_any_more() -> None:
    line = Line()
    call = caller(line)
    call.offers.put_nowait(OFFER)
    await place_of(call).give_up("timed_out")
    assert line.left == [("1abc", "timed_out")]
    assert call.offers.empty()
