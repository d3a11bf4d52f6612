"""A place in line: what the ACD is told of it, and that nothing of it stays behind once it is given up."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.acd import Offer, Placement, Policy, Step
from engine.call.inbound import InboundCall
from engine.call.mailbox import Mailbox
from engine.call.phase import Phase
from engine.call.place import Place, Terms
from engine.call.record import Announced, CallRecord
from engine.redis_line import LineDown
from engine.store.rows import EndReason

NOW_MS = 1_763_761_507_000
OFFER = Offer("1-1abc", "1abc", "8001", "sales", 1)
POLICY = Policy(steps=(Step(0, "sales >= 3"),), lease_ms=35_000, wrapup_ms=10_000, max_wait_ms=60_000)
TERMS = Terms(
    POLICY,
    head_start_ms=300_000,
    strict=1,
    served_within_ms=120_000,
    preferred="8001",
    patience_ms=20_000,
    who="d1",
    closes_in_ms=90_000,
)


class Line:
    """An ACD that notes what it is asked; `free` is whom it offers at once."""

    def __init__(self, free: Offer | None = None, *, away: int = 0, inherited_ms: int = 0) -> None:
        self.free, self.away, self.inherited_ms = free, away, inherited_ms
        self.entered: dict[str, Any] = {}
        self.left: list[tuple[str, str]] = []
        self.first = True

    async def enqueue(self, item: str, **asked: Any) -> Placement:
        if self.away:
            self.away -= 1
            raise LineDown("gone")
        self.entered = {"item": item, **asked}
        return Placement(0 if self.free else 1, (self.free,) if self.free else (), waited_ms=self.inherited_ms)

    async def withdraw(self, item: str, reason: str) -> bool:
        self.left.append((item, reason))
        return self.first


def caller(line: Line) -> Any:
    record = CallRecord("1abc", "c1", "4008001234", phase=Phase.WAITING, queue="sales")
    saved: list[CallRecord] = []
    music: list[tuple[bool, str]] = []

    async def hold_music(on: bool, music_class: str) -> None:
        music.append((on, music_class))

    async def out_of_line() -> None:
        pass

    left: list[str] = []
    return SimpleNamespace(
        item=record.id,
        record=record,
        board=SimpleNamespace(acd=line, records=SimpleNamespace(save_now=saved.append)),
        leg=SimpleNamespace(hold_music=hold_music),
        notices=Mailbox(),
        music="jazz",
        heard=music,
        now_ms=lambda: NOW_MS,
        saved=saved,
        out_of_line=out_of_line,
        leaves_line=left.append,
        left=left,
    )


def place_of(call: Any) -> Place:
    return Place(cast(InboundCall, call), TERMS)


@pytest.mark.parametrize(("queued_ms", "waited_ms"), [(None, 0), (NOW_MS - 12_500, 12_500)])
async def test_the_wait_counts_from_when_the_caller_first_came_to_a_queue(
    queued_ms: int | None, waited_ms: int
) -> None:
    line = Line()
    call = caller(line)
    call.record.queued_ms = queued_ms
    assert (await place_of(call).take()).offers == ()
    assert line.entered == {
        "item": "1abc",
        "queue": "sales",
        "policy": POLICY,
        "head_start_ms": 300_000,
        "strict": 1,
        "served_within_ms": 120_000,
        "waited_ms": waited_ms,
        "preferred": "8001",
        "patience_ms": 20_000,
        "exclude": {},
        "who": "d1",
        "closes_in_ms": 90_000,
        "replaces": "",
        "hold_ms": 0,
        "said_place": 0,
        "said_in_ms": None,
    }
    assert call.record.queued_ms == NOW_MS - waited_ms


@pytest.mark.parametrize(("by_ms", "in_ms"), [(None, None), (NOW_MS + 60_000, 60_000), (NOW_MS - 1, -1)])
async def test_what_the_caller_was_told_comes_along(by_ms: int | None, in_ms: int | None) -> None:
    line = Line()
    call = caller(line)
    call.record.announced = Announced(2, by_ms, "", "")
    await place_of(call).take()
    assert (line.entered["said_place"], line.entered["said_in_ms"]) == (2, in_ms)


async def test_a_place_that_the_caller_took_over_goes_along_and_is_no_wait_of_theirs() -> None:
    line = Line(inherited_ms=2_400_000)
    call = caller(line)
    await place_of(call).take()
    assert (call.record.queued_ms, call.record.placed_ms) == (NOW_MS, NOW_MS - 2_400_000)
    assert call.record.row(EndReason.ABANDONED_WAITING, NOW_MS + 1_000).wait_ms == 1_000
    await Place(cast(InboundCall, call), Terms(POLICY)).take()  # of another queue
    assert line.entered["waited_ms"] == 2_400_000


async def test_who_waits_is_saved_at_once_and_who_is_offered_is_not() -> None:
    waiting, offered = caller(Line()), caller(Line(OFFER))
    assert (await place_of(waiting).take()).offers == ()
    assert (await place_of(offered).take()).offers == (OFFER,)
    assert (waiting.saved, offered.saved) == ([waiting.record], [])


async def test_while_redis_is_away_the_caller_hears_music_and_is_queued_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.call.place.REDIS_AGAIN_S", 0.001)
    line = Line(OFFER, away=3)
    call = caller(line)
    assert (await place_of(call).take()).offers == (OFFER,)
    assert set(call.heard) == {(True, "jazz")}


async def test_nobody_waits_for_redis_longer_than_for_an_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.call.place.REDIS_AGAIN_S", 0.001)
    line = Line(away=10_000)
    brief = Terms(Policy(steps=(Step(0, "any"),), lease_ms=1, wrapup_ms=0, max_wait_ms=20))
    call = caller(line)
    assert (await Place(cast(InboundCall, call), brief).take()).refused == "timed_out"
    assert call.left == ["timed_out"], "Redis may have heard what it did not answer"


async def test_an_offer_that_comes_while_the_place_is_given_up_is_nobodys_any_more() -> None:
    line = Line()
    call = caller(line)
    call.notices.put(OFFER)
    assert await place_of(call).give_up("key_leave")
    assert line.left == [("1abc", "key_leave")]
    assert call.notices.take() is None


async def test_a_place_that_an_agent_took_first_is_not_given_up() -> None:
    line = Line()
    line.first = False
    call = caller(line)
    call.notices.put(OFFER)
    assert not await place_of(call).give_up("key_leave")
    assert call.notices.take() == OFFER


async def test_a_mailbox_gives_what_came_in_its_order_and_wakes_whoever_waits() -> None:
    box = Mailbox()
    waiting = box.arrived()
    assert not waiting.done()
    box.put(OFFER)
    assert waiting.done()
    assert box.arrived().done()
    assert box.take() == OFFER
    assert box.take() is None
    empty: asyncio.Future[None] = box.arrived()
    assert not empty.done()
