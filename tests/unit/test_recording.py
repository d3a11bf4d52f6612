"""A recording of a channel: who ends it, and that its file is closed when the call goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from engine.asterisk import recording
from engine.asterisk.ari import Ari, AriRefused
from engine.asterisk.channel import CallerLeg
from engine.flow.leg import HungUp, Recorded

ROOT = Path("/st/recordings")
FILE = ROOT / "voicemail/night/c1-1a2b.wav"
NAME = "voicemail/night/c1-1a2b"
LIVE = "recordings/live/voicemail%2Fnight%2Fc1-1a2b"


class Studio:
    """Asterisk, which takes commands and says when a file is closed: at once when told to stop, if `stops`."""

    def __init__(self, *, stops: bool = True, refuses: int = 0) -> None:
        self.sent: list[tuple[str, str, dict[str, Any]]] = []
        self.goes_on = True
        self._stops, self._refuses = stops, refuses
        self.leg = CallerLeg(cast(Ari, self), "c1", "PJSIP/x-1", "Up", lambda name, _: f"/{name}", ROOT)
        self.recording, self.asked = asyncio.Event(), asyncio.Event()

    async def request(self, method: str, uri: str, query: dict[str, Any] | None = None) -> None:
        self.sent.append((method, uri, query or {}))
        if uri == "channels/c1/record":
            if self._refuses:
                raise AriRefused(self._refuses, uri, "channel not found")
            self.recording.set()
        elif uri == LIVE:
            self.asked.set()
            if self.goes_on:
                return
            raise AriRefused(404, uri, "recording not found")
        elif uri == f"{LIVE}/stop" and self._stops:
            self.ends(3)

    def ends(self, seconds: int, *, name: str = NAME, state: str = "done") -> None:
        self.leg.note_recording_end({"name": name, "state": state, "duration": seconds})

    async def begins(self) -> asyncio.Future[Recorded]:
        work = asyncio.ensure_future(self.leg.record(FILE, longest_s=60.5, silence_s=5))
        await self.recording.wait()
        return work

    def stopped(self) -> bool:
        return ("POST", f"{LIVE}/stop", {}) in self.sent


async def test_silence_ends_it_and_asterisk_says_so() -> None:
    studio = Studio()
    work = await studio.begins()
    studio.ends(9, name="somebody/else")
    studio.ends(7)
    assert await work == Recorded(FILE, 7.0, None)
    assert not studio.stopped()
    ((method, uri, query),) = studio.sent
    assert (method, uri, query["name"], query["format"]) == ("POST", "channels/c1/record", NAME, "wav")
    assert (query["maxDurationSeconds"], query["maxSilenceSeconds"], query["ifExists"]) == (61, 5, "overwrite")


async def test_the_key_ends_it_and_is_taken_with_those_before_it() -> None:
    studio = Studio()
    work = await studio.begins()
    studio.leg.note_digit("5")
    studio.leg.note_digit("#")
    studio.leg.note_digit("1")
    assert await work == Recorded(FILE, 3.0, "#")
    assert studio.stopped()
    assert await studio.leg.digit(0.0) == "1"


async def test_keys_that_end_nothing_are_no_answer_to_what_comes_next() -> None:
    studio = Studio()
    work = await studio.begins()
    studio.leg.note_digit("5")
    studio.ends(7)
    assert (await work).key is None
    assert await studio.leg.digit(0.0) is None


async def test_a_hang_up_is_told_when_the_file_is_closed() -> None:
    studio = Studio(stops=False)

    async def call() -> None:
        async with studio.leg.while_alive():
            await studio.leg.record(FILE, longest_s=60, silence_s=5)

    work = asyncio.ensure_future(call())
    await studio.recording.wait()
    studio.leg.note_gone({"cause": 16})
    for _ in range(5):
        await asyncio.sleep(0)
    assert not work.done()
    studio.ends(7)
    with pytest.raises(HungUp):
        await asyncio.wait_for(work, 1)


async def test_asterisk_that_says_nothing_more_does_not_hold_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "CLOSES_S", 0.02)
    studio = Studio(stops=False)
    work = await studio.begins()
    studio.leg.note_digit("#")
    assert (await asyncio.wait_for(work, 1)).key == "#"


async def test_a_caller_who_has_left_before_it_began_is_not_waited_for() -> None:
    with pytest.raises(HungUp):
        await asyncio.wait_for(Studio(refuses=404).leg.record(FILE, longest_s=60, silence_s=5), 1)


@pytest.mark.parametrize("goes_on", [True, False])
async def test_after_a_reconnection_asterisk_is_asked_whether_it_goes_on(goes_on: bool) -> None:
    studio = Studio()
    work = await studio.begins()
    studio.goes_on = goes_on
    studio.leg.note_missed_events()
    await studio.asked.wait()
    for _ in range(5):
        await asyncio.sleep(0)
    assert work.done() is not goes_on
    studio.ends(7)
    await asyncio.wait_for(work, 1)


async def test_what_asterisk_could_not_write_is_no_more_than_silence() -> None:
    studio = Studio()
    work = await studio.begins()
    studio.ends(0, state="failed")
    assert await work == Recorded(FILE, 0.0, None)
