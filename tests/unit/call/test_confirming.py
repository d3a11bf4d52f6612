"""Whoever answers a phone that may not be the agent's alone: asked for a key, for a while."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from engine.asterisk.channel import Channel
from engine.call import confirming
from engine.call.confirming import confirmed


class Ari:
    """Asterisk, as far as a prompt is played: each ends by itself as soon as `heard` is called."""

    def __init__(self) -> None:
        self.playbacks: list[str] = []
        self.stopped: list[str] = []
        self.played = asyncio.Event()

    async def request(self, method: str, uri: str, query: Any = None) -> None:
        assert (method, query["media"]) == ("POST", "sound:take-call")
        self.playbacks.append(query["playbackId"])
        self.played.set()

    def send(self, _: str, uri: str, *__: Any, **___: Any) -> asyncio.Future[None]:
        self.stopped.append(uri)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


async def asked() -> tuple[Channel, Ari, asyncio.Task[bool]]:
    """An answered leg in which the question has begun."""
    ari = Ari()
    leg = Channel(cast(Any, ari), "agent-1", state="Up")
    asking = asyncio.ensure_future(confirmed(leg, "sound:take-call"))
    await asyncio.sleep(0)
    assert ari.playbacks == [], "a channel that is not in Stasis yet cannot be played to"
    leg.note_in_stasis()
    await asyncio.wait_for(ari.played.wait(), 2)
    return leg, ari, asking


async def test_the_key_takes_the_call_and_ends_the_question() -> None:
    leg, ari, asking = await asked()
    leg.note_digit("1")
    assert await asyncio.wait_for(asking, 2)
    assert ari.stopped == [f"playbacks/{ari.playbacks[0]}"]


async def test_other_keys_take_nothing_and_the_question_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirming, "PAUSE_S", 0.01)
    leg, ari, asking = await asked()
    for key in "2#":
        leg.note_digit(key)
    ari.played.clear()
    leg.note_playback_end(ari.playbacks[0], failed=False)
    await asyncio.wait_for(ari.played.wait(), 2)
    assert not asking.done()
    leg.note_digit("1")
    assert await asyncio.wait_for(asking, 2)


async def test_a_mailbox_presses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirming, "CONFIRM_S", 0.05)
    _, ari, asking = await asked()
    assert not await asyncio.wait_for(asking, 2)
    assert len(ari.stopped) == 1


async def test_whoever_hangs_up_has_not_taken_the_call() -> None:
    leg, _, asking = await asked()
    leg.note_gone({"cause": 16})
    assert not await asyncio.wait_for(asking, 2)


async def test_a_caller_who_leaves_meanwhile_ends_the_question() -> None:
    _, ari, asking = await asked()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert len(ari.stopped) == 1
