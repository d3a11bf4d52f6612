"""A channel as a level: who waits for it wakes for its events, and for the end of their patience."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import pytest
import uvloop

from engine.asterisk.ari import Ari, AriError, AriRefused
from engine.asterisk.channel import CallerLeg, Channel, LegEnd
from engine.flow.leg import NO_KEY, HungUp


class NoAri:
    """A line on which every command is taken and none is answered."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.queries: list[Any] = []
        self.replies: list[asyncio.Future[Any]] = []

    def send(self, method: str, uri: str, query: Any = None, **_: Any) -> asyncio.Future[Any]:
        self.sent.append((method, uri))
        self.queries.append(query)
        self.replies.append(asyncio.get_running_loop().create_future())
        return self.replies[-1]

    async def request(self, method: str, uri: str, *_: Any, **__: Any) -> None:
        self.sent.append((method, uri))


def leg(ari: NoAri | None = None) -> CallerLeg:
    return CallerLeg(cast(Ari, ari or NoAri()), "c1", "PJSIP/x-1", "Up", lambda name, _: f"/{name}")


def on_the_engines_loop(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(work, 20))


def test_patience_always_ends_even_when_a_timer_fires_early() -> None:
    async def wait_many_times() -> None:
        caller = leg()
        for n in range(400):
            assert await caller.digit(0.0005 + n % 7 * 0.0003) is None

    on_the_engines_loop(wait_many_times())


def test_no_patience_at_all_is_over_at_once() -> None:
    async def wait() -> None:
        assert await leg().digit(-1.0) is None

    on_the_engines_loop(wait())


async def test_a_key_pressed_before_anybody_asked_is_kept() -> None:
    caller = leg()
    caller.note_digit("7")
    assert await caller.digit(1.0) == "7"


async def test_a_key_cuts_a_prompt_short_and_is_not_lost() -> None:
    ari = NoAri()
    caller = leg(ari)
    playing = asyncio.ensure_future(caller.play(["menu-main"]))
    await asyncio.sleep(0)
    caller.note_digit("1")
    assert await playing is False
    assert ("DELETE", "playbacks/c1-p1") in ari.sent
    assert await caller.digit(0.0) == "1"


async def test_a_prompt_that_ends_by_itself_needs_no_stopping() -> None:
    ari = NoAri()
    caller = leg(ari)
    playing = asyncio.ensure_future(caller.play(["welcome"], stops=NO_KEY))
    await asyncio.sleep(0)
    caller.note_digit("1")
    caller.note_playback_end("c1-p1", failed=False)
    assert await playing is True
    assert not caller.playing
    assert not [uri for method, uri in ari.sent if method == "DELETE"]


async def test_the_cause_of_the_first_order_to_hang_up_is_what_the_far_end_is_told() -> None:
    ari = NoAri()
    caller = leg(ari)
    hanging_up = asyncio.ensure_future(caller.hang_up(17))
    await asyncio.sleep(0)
    caller.drop()
    await caller.hang_up()
    ari.replies[0].set_result(None)
    await hanging_up
    assert ari.sent == [("DELETE", "channels/c1")]


async def test_an_order_to_hang_up_that_did_not_reach_asterisk_is_given_again() -> None:
    ari = NoAri()
    caller = leg(ari)
    caller.drop()
    ari.replies[0].set_exception(AriError("not in time"))
    await asyncio.sleep(0)
    caller.drop()
    assert ari.sent == [("DELETE", "channels/c1")] * 2


async def test_an_order_to_hang_up_that_never_reached_asterisk_is_given_again_after_a_reconnection() -> None:
    ari = NoAri()
    caller = leg(ari)
    hanging_up = asyncio.ensure_future(caller.hang_up(17))
    await asyncio.sleep(0)
    caller.note_missed_events()
    assert len(ari.sent) == 1, "it is on its way"
    ari.replies[0].set_exception(AriError("not in time"))
    with pytest.raises(AriError):
        await hanging_up
    caller.note_missed_events()
    assert ari.queries == [{"reason_code": 17}] * 2


async def test_a_channel_that_asterisk_does_not_know_when_it_is_to_end_has_ended() -> None:
    ari = NoAri()
    caller = leg(ari)
    caller.drop()
    ari.replies[0].set_exception(AriRefused(404, "DELETE channels/c1", "Channel not found"))
    await asyncio.sleep(0)
    assert not caller.gone.result().lost


async def test_a_hang_up_unwinds_whatever_the_call_is_waiting_for() -> None:
    caller = leg()

    async def call() -> str:
        try:
            async with caller.while_alive():
                await caller.digit(60.0)
        except HungUp:
            return "hung up"
        return "went on"

    task = asyncio.ensure_future(call())
    await asyncio.sleep(0)
    caller.note_gone({"cause": 16})
    assert await task == "hung up"
    assert caller.gone.result() == LegEnd(16)


async def test_a_leg_found_missing_after_a_reconnection_is_lost() -> None:
    channel = Channel(cast(Ari, NoAri()), "agent-1")
    channel.note_gone()
    assert channel.gone.result().lost
