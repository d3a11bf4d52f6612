"""What a waiting caller is told, and what they are not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.acd.states import Figures
from engine.call import announcing
from engine.call.announcing import Announcer
from engine.call.inbound import InboundCall
from engine.call.record import CallRecord
from engine.config.queues import Announce
from engine.journal.events import Event, ItemAnnounced
from engine.redis_line import LineDown
from engine.sounds import Sounds

MINUTE = 60_000
SOUNDS = Sounds()
# Three agents; lately 50 callers left the line, one a minute.
LINE = Figures(4, 3, 50, 150 * MINUTE, 50, 150 * MINUTE, 0, said_place=0, said_ms=None)


class Caller:
    """One who waits, and the ACD as the announcer sees it: it keeps what was said, as Redis does."""

    def __init__(self, *, has_keys: bool = False, **announce: Any) -> None:
        self.has_keys = has_keys
        self.figures: Figures | None = LINE
        self.now_ms = 0
        self.down = False
        self.events: list[ItemAnnounced] = []
        self._by_ms: int | None = None
        self.record = CallRecord("call-1", "c1", "4008001234")
        self.saved = 0
        self._call = cast(
            InboundCall,
            SimpleNamespace(
                board=SimpleNamespace(acd=SimpleNamespace(figures=self._look, said=self._said)),
                item="call-1",
                record=self.record,
                now_ms=lambda: self.now_ms,
                save=self._save,
                site=SimpleNamespace(sounds=SOUNDS),
                leg=SimpleNamespace(language="zh-CN"),
                note=self._note,
            ),
        )
        self._announce = Announce.model_validate(announce)
        self.restarts()

    async def _look(self, _: str) -> Figures | None:
        if self.down:
            raise LineDown
        left = None if self._by_ms is None else self._by_ms - self.now_ms
        return self.figures and replace(self.figures, said_ms=left)

    async def _said(self, _: str, place: int, *, low_ms: int, high_ms: int, likely_ms: int) -> bool:
        assert self.figures is not None
        self.figures = replace(self.figures, said_place=place)
        if high_ms:
            assert 0.9 * low_ms <= likely_ms <= 1.1 * high_ms
            self._by_ms = self.now_ms + high_ms
        return True

    def _save(self) -> None:
        self.saved += 1

    def _note(self, kind: type[Event], **payload: Any) -> None:
        assert kind is ItemAnnounced
        self.events.append(ItemAnnounced("call-1", self.now_ms, **payload))

    def restarts(self) -> None:
        """Another engine takes over."""
        self._announcer = Announcer(self._call, self._announce, has_keys=self.has_keys)

    def comes_to_another_queue(self, *, has_keys: bool = False, **announce: Any) -> Caller:
        """With what the record says was said (Place)."""
        said = self.record.announced
        assert self.figures is not None
        self.figures = replace(self.figures, said_place=said.place if said else 0)
        self._by_ms = said.by_ms if said else None
        self.has_keys, self._announce = has_keys, Announce.model_validate(announce)
        self.restarts()
        return self

    async def hears(self) -> list[str]:
        return await self._announcer.words()

    def at(self, position: int) -> Caller:
        assert self.figures is not None
        self.figures = replace(self.figures, position=position)
        return self


async def test_place_and_wait_are_told_after_a_first_word() -> None:
    caller = Caller(wait=True)
    assert await caller.hears() == ["all-agents-busy", "position-4", "wait-2-to-10"]
    assert caller.events == [ItemAnnounced("call-1", 0, position=4, low_ms=2 * MINUTE, high_ms=10 * MINUTE)]


async def test_nothing_new_is_silence() -> None:
    caller = Caller(wait=True)
    await caller.hears()
    caller.now_ms += 30_000
    assert await caller.hears() == []
    assert len(caller.events) == 1


async def test_after_a_restart_only_what_is_better_is_told() -> None:
    caller = Caller(wait=True)
    await caller.hears()
    caller.restarts()
    assert await caller.at(5).hears() == await caller.at(4).hears() == []
    assert await caller.at(3).hears() == ["position-3", "wait-1-to-5"]


async def test_in_another_queue_only_what_is_better_is_told() -> None:
    caller = Caller(wait=True).at(2)
    await caller.hears()
    caller.comes_to_another_queue(wait=True)
    assert await caller.at(7).hears() == await caller.at(2).hears() == []
    assert await caller.at(1).hears() == ["position-1", "wait-under-2"]
    assert caller.saved == 2, "a successor would not know"


async def test_a_queue_that_tells_places_tells_them_to_whoever_comes_from_one_that_does_not() -> None:
    caller = Caller(position=False, wait=True)
    assert await caller.hears() == ["all-agents-busy", "wait-2-to-10"]
    assert await caller.comes_to_another_queue().at(12).hears() == ["position-more-than-10"]
    assert await caller.comes_to_another_queue(position=False, wait=True).hears() == []
    assert await caller.comes_to_another_queue().at(12).hears() == []


async def test_more_than_half_an_hour_is_told_once_in_whatever_queue() -> None:
    caller = Caller(position=False, wait=True).at(60)
    assert await caller.hears() == ["all-agents-busy", "wait-over-30"]
    caller.now_ms += 2 * MINUTE
    assert await caller.comes_to_another_queue(position=False, wait=True).at(58).hears() == []


async def test_more_than_half_an_hour_is_told_once() -> None:
    caller = Caller(position=False, wait=True).at(60)
    assert await caller.hears() == ["all-agents-busy", "wait-over-30"]
    caller.now_ms += 2 * MINUTE
    assert await caller.at(58).hears() == []
    caller.now_ms += 10 * MINUTE
    assert await caller.at(9).hears() == ["wait-5-to-15"]


async def test_a_better_place_and_a_sooner_answer_are_told_without_the_first_word() -> None:
    caller = Caller(wait=True)
    await caller.hears()
    caller.now_ms += 3 * MINUTE
    assert await caller.at(1).hears() == ["position-1", "wait-under-2"]


async def test_whoever_is_overtaken_hears_neither_a_later_place_nor_a_later_moment() -> None:
    caller = Caller(wait=True)
    await caller.hears()
    for position in (5, 20, 4):
        caller.now_ms += 30_000
        assert await caller.at(position).hears() == []
    assert await caller.at(3).hears() == ["position-3", "wait-1-to-5"], "not even better news is told any more"


async def test_a_place_that_sounds_the_same_is_not_repeated() -> None:
    caller = Caller()
    assert await caller.at(30).hears() == ["all-agents-busy", "position-more-than-10"]
    assert await caller.at(12).hears() == []
    assert await caller.at(10).hears() == ["position-10"]


@pytest.mark.parametrize(
    ("announce", "first"),
    [
        ({"position": True, "wait": False}, ["all-agents-busy", "position-4"]),
        ({"position": False, "wait": True}, ["all-agents-busy", "wait-2-to-10"]),
    ],
)
async def test_the_queue_decides_what_is_told(announce: dict[str, Any], first: list[str]) -> None:
    caller = Caller(**announce)
    assert await caller.hears() == first
    assert (caller.events[0].position > 0, caller.events[0].high_ms > 0) == (announce["position"], announce["wait"])
    assert await caller.hears() == []


async def test_while_nobody_can_tell_how_long_it_takes_only_the_place_is_told() -> None:
    caller = Caller(wait=True)
    caller.figures = replace(LINE, staffed=0)
    assert await caller.hears() == ["all-agents-busy", "position-4"]
    assert caller.events == [ItemAnnounced("call-1", 0, position=4)]


async def test_only_the_wait_and_nobody_can_tell_it_is_the_first_word_once() -> None:
    caller = Caller(position=False, wait=True)
    caller.figures = replace(LINE, staffed=0)
    assert await caller.hears() == ["all-agents-busy"]
    assert await caller.hears() == []
    assert caller.events == []


async def test_nothing_is_told_to_whoever_does_not_wait_or_while_redis_is_away() -> None:
    caller = Caller(wait=True)
    assert await caller.at(0).hears() == []
    caller.at(4).down = True
    assert await caller.hears() == []
    caller.down, caller.figures = False, None
    assert await caller.hears() == []


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(announcing, "time", clock)
    return clock


async def test_the_keys_are_told_after_the_place_and_again_now_and_then(clock: Clock) -> None:
    caller = Caller(has_keys=True, keys="press-one", keys_every="2m")
    assert await caller.hears() == ["all-agents-busy", "position-4", "press-one"]
    clock.now_s += 90
    assert await caller.at(3).hears() == ["position-3"]
    clock.now_s += 30
    assert await caller.hears() == ["press-one"]
    clock.now_s += 30
    assert await caller.hears() == []


async def test_whoever_has_been_told_of_the_keys_is_not_told_at_once_by_the_next_engine(clock: Clock) -> None:
    caller = Caller(has_keys=True, position=False, keys="press-one", keys_every="2m")
    assert await caller.hears() == ["all-agents-busy", "press-one"]
    caller.restarts()
    assert await caller.hears() == []
    clock.now_s += 120
    assert await caller.hears() == ["press-one"]


async def test_another_queue_tells_at_once_of_other_keys_only() -> None:
    caller = Caller(has_keys=True, keys="press-one")
    await caller.hears()
    assert await caller.comes_to_another_queue(has_keys=True, keys="press-one").hears() == []
    assert await caller.comes_to_another_queue(has_keys=True, keys="press-two").hears() == ["press-two"]


async def test_keys_that_lead_nowhere_are_not_told_of() -> None:
    caller = Caller(keys="press-one")
    assert await caller.hears() == ["all-agents-busy", "position-4"]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 10), st.integers(0, 10**7), st.integers(0, 300_000)), max_size=12
    )
)
def test_whatever_the_line_does_nobody_is_told_anything_worse(moments: list[tuple[int, int, int, int]]) -> None:
    async def told() -> list[ItemAnnounced]:
        caller = Caller(wait=True)
        for position, staffed, worked_ms, passes_ms in moments:
            assert caller.figures is not None
            caller.figures = replace(caller.figures, position=position, staffed=staffed, worked_ms=worked_ms)
            caller.now_ms += passes_ms
            await caller.hears()
        return caller.events

    events = asyncio.run(told())
    places = [event.position for event in events if event.position]
    moments_said = [event.at + event.high_ms for event in events if event.high_ms]
    assert places == sorted(set(places), reverse=True)
    assert moments_said == sorted(moments_said, reverse=True)
