"""One channel: what the engine knows of it (a level, kept by events) and what it can do to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import structlog

from engine.asterisk.ari import Ari, AriRefused, Query
from engine.asterisk.recording import Recording
from engine.flow.digits import Digits
from engine.flow.leg import ANY_KEY, HungUp, Recorded

if TYPE_CHECKING:
    from engine.asterisk.ari import Event

log = structlog.get_logger()

# What Asterisk answers about a channel that is on its way out: information, not a fault.
GONE = (404, 409, 412, 422)

# Where a prompt's file is: (name, language) → path without extension.
SoundPath = Callable[[str, str], str]


# Q.850: normal clearing.
NORMAL = 16


@dataclass(frozen=True, slots=True)
class LegEnd:
    """Why a channel ended: Q.850 cause and, where Asterisk tells it (22.7), the SIP status."""

    cause: int = 0
    tech_cause: int | None = None
    lost: bool = False


class Channel:
    """A channel in our application, as a level: events change it, and whoever waits looks again."""

    def __init__(self, ari: Ari, channel_id: str, name: str = "", state: str = "Down") -> None:
        self.id = channel_id
        self.name = name
        self.ari = ari
        self.ringing = False
        self.up = False
        self.in_stasis = False
        self.gone: asyncio.Future[LegEnd] = asyncio.get_running_loop().create_future()
        self._watchers: list[asyncio.Future[None]] = []
        self.digits = Digits()
        self.dialled: asyncio.Future[Any] | None = None  # Asterisk's answer to the order to dial it, if that made it
        self._playing: set[str] = set()
        self._ordered: set[str] = set()  # of those, what Asterisk has not yet said that it will play
        self._playbacks = 0
        self._music = False
        self._ending: Query | None = None  # the order to hang up, as it was first given
        self._sent_away: asyncio.Future[Any] | None = None  # Asterisk's answer to it; None when it must be given again
        self.recording: Recording | None = None
        self.note_state(state)

    # What events tell.

    def note_state(self, state: str) -> None:
        """Asterisk's channel state: Ringing, Up and the others."""
        self.ringing = self.ringing or state == "Ringing"
        self.up = self.up or state == "Up"
        self._changed()

    def note_in_stasis(self) -> None:
        """It has been answered and handed to us: from now on it can be played to."""
        self.in_stasis = True
        self._changed()

    def note_digit(self, digit: str, lasted_s: float = 0.0, at_s: float | None = None) -> None:
        """A key was pressed for so long, until then: kept until a step asks for it."""
        if self.digits.press(digit, lasted_s, at_s):
            self._changed()

    def note_playback_end(self, playback_id: str, failed: bool) -> None:
        """A playback ended, by itself or because it was cut short."""
        if failed:
            log.error("channel.playback_failed", channel=self.id, remedy="is the recording readable for Asterisk?")
        self._playing.discard(playback_id)
        self._changed()

    def note_recording_end(self, about: Mapping[str, Any]) -> None:
        """A recording's file has been closed."""
        if self.recording is not None and self.recording.name == about["name"]:
            self.recording.note_end(about)
            self._changed()

    def note_missed_events(self) -> None:
        """After a reconnection: the end of a playback may have been missed, and waiting on would be silence. An order
        without an answer goes out again."""
        self._playing &= self._ordered
        if self.recording is not None:
            self.recording.note_missed_events()
        if self._ending is not None:
            self._send_away(self._ending)
        self._changed()

    def note_gone(self, event: Event | None = None) -> None:
        """The channel has left; None when it was found missing after a reconnection."""
        if self.gone.done():
            return
        if self._sent_away is not None:
            self._sent_away.cancel()  # after a reconnection it would hang up whom the dialplan has back
        if event is None:
            self.gone.set_result(LegEnd(lost=True))
        else:
            self.gone.set_result(LegEnd(event.get("cause") or 0, event.get("tech_cause")))
        self._changed()

    def _changed(self) -> None:
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)

    async def until(self, condition: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Waits until what events have told makes `condition` true; False when `timeout_s` seconds are over."""
        if condition():
            return True
        loop = asyncio.get_running_loop()
        over = False

        def expire() -> None:
            # Told, not read off the clock: a timer of uvloop may fire a moment before the clock says so.
            nonlocal over
            over = True
            self._changed()

        timer = None if timeout_s is None else loop.call_later(max(timeout_s, 0.0), expire)
        try:
            while not condition():
                if over:
                    return False
                watcher: asyncio.Future[None] = loop.create_future()
                self._watchers.append(watcher)
                await watcher
            return True
        finally:
            if timer is not None:
                timer.cancel()

    @property
    def to_be_made(self) -> bool:
        """Whether the order to dial it is without an answer: it may go out only after a reconnection."""
        return self.dialled is not None and not self.dialled.done()

    @property
    def playing(self) -> bool:
        """Whether its thread in Asterisk may be busy playing, and would let other commands wait."""
        return bool(self._playing)

    # What the engine does.

    async def command(self, method: str, verb: str, **query: str | int) -> Any:
        """A command on this channel. Raises HungUp when it is no longer there (404, 409, 412, 422)."""
        try:
            return await self.ari.request(method, f"channels/{self.id}{verb}", query)
        except AriRefused as refused:
            if refused.status in GONE:
                raise HungUp from refused
            raise

    async def look(self) -> None:
        """Finds out whether it is still there, when something says that it is not."""
        try:
            await self.command("GET", "")
        except HungUp:
            self.note_gone({})

    def post(self, method: str, verb: str, **query: str | int) -> None:
        """A command on this channel that nobody waits for."""
        self._post(method, f"channels/{self.id}{verb}", query)

    def _post(self, method: str, uri: str, query: Query | None = None, *, lazily: bool = False) -> None:
        self.ari.send(method, uri, query, lazily=lazily).add_done_callback(self._posted)

    def _posted(self, reply: asyncio.Future[Any]) -> None:
        error = _fault_of(reply)
        if error is not None and not (isinstance(error, AriRefused) and error.status in GONE):
            log.warning("channel.post_failed", channel=self.id, error=str(error))

    # Of several orders to hang up, Asterisk would tell the far end the cause of the last: only one is given. One that
    # did not reach Asterisk is given again, after the next reconnection if nobody does before.

    async def hang_up(self, cause: int = NORMAL) -> None:
        """Ends it, whatever state it is in, with a cause of Q.850; returns once Asterisk has taken the order. Raises
        AriError, and the order stands all the same."""
        taken = self._send_away({"reason_code": cause})
        if taken is None:
            return
        await asyncio.wait({taken})
        error = _fault_of(taken)
        if error is not None and not isinstance(error, AriRefused):
            raise error

    def drop(self, reason: str = "normal") -> None:
        """hang_up() that nobody waits for."""
        self._send_away({"reason": reason})

    def _send_away(self, how: Query) -> asyncio.Future[Any] | None:
        if self.gone.done() or self._sent_away is not None:
            return None
        self._ending = self._ending or how
        self._sent_away = self.ari.send("DELETE", f"channels/{self.id}", self._ending)
        self._sent_away.add_done_callback(self._dropped)
        return self._sent_away

    def _dropped(self, reply: asyncio.Future[Any]) -> None:
        error = _fault_of(reply)
        if error is not None and not isinstance(error, AriRefused):
            self._sent_away = None
        elif isinstance(error, AriRefused) and error.status == 404:  # nobody will tell of its end
            self.note_gone({})
        self._posted(reply)

    async def play_media(self, media: str, *, stops: str) -> bool:
        """Plays what Asterisk calls so; False when a key of `stops` cut it short, which stays in the buffer. Raises
        HungUp when the channel was gone before; within `while_alive` also when it goes."""
        self._playbacks += 1
        playback = f"{self.id}-p{self._playbacks}"
        try:
            await self._begin_playback(playback, media)
            await self.until(lambda: playback not in self._playing or self.digits.any_of(stops))
            return not self.digits.any_of(stops)
        finally:
            if playback in self._playing:
                self._post("DELETE", f"playbacks/{playback}", lazily=True)

    async def _begin_playback(self, playback: str, media: str) -> None:
        self._playing.add(playback)  # before Asterisk has answered: its end may be told in the same breath
        self._ordered.add(playback)
        try:
            await self.command("POST", "/play", media=media, playbackId=playback)
        finally:
            self._ordered.discard(playback)

    async def digit(self, timeout_s: float) -> str | None:
        """The next key in the buffer, or the next one pressed."""
        await self.until(lambda: bool(self.digits), timeout_s)
        return self.digits.take()

    def while_alive(self) -> WhileAlive:
        """A scope that raises HungUp, from wherever its body is, when the channel goes."""
        return WhileAlive(self)


def _fault_of(reply: asyncio.Future[Any]) -> BaseException | None:
    """Of an answer that is there, or that nobody wants any more."""
    return None if reply.cancelled() else reply.exception()


class CallerLeg(Channel):
    """The caller's channel as a flow's Leg (engine/flow/leg.py)."""

    language: str = "zh-CN"

    def __init__(
        self, ari: Ari, channel_id: str, name: str, state: str, sound: SoundPath, recordings: Path = Path()
    ) -> None:
        """`recordings`: the folder that Asterisk records to."""
        super().__init__(ari, channel_id, name, state)
        self._sound = sound
        self._recordings = recordings

    async def answer(self) -> None:
        """200 OK to the carrier."""
        if not self.up:
            await self.command("POST", "/answer")

    async def play(self, prompts: Sequence[str], *, stops: str = ANY_KEY) -> bool:
        """One playback for all prompts; a key of `stops` ends it at once and stays in the buffer."""
        if self.digits.any_of(stops):
            return False
        if self._music:
            await self.hold_music(False)
        return await self.play_media(
            ",".join(f"sound:{self._sound(name, self.language)}" for name in prompts), stops=stops
        )

    async def record(self, file: Path, *, longest_s: float, silence_s: float, stops: str = "#") -> Recorded:
        """Into a file below the folder of recordings. Raises HungUp, with the file closed."""
        await self.hold_music(False)
        name = str(file.relative_to(self._recordings).with_suffix(""))
        recording = self.recording = Recording(self, name)
        try:
            key = await recording.until_ended(longest_s=longest_s, silence_s=silence_s, stops=stops)
        finally:
            self.recording = None
        return Recorded(file, recording.duration_s, key)

    async def hold_music(self, on: bool, music_class: str = "default") -> None:
        """Music from Asterisk's own class; sent without waiting, as nothing depends on its answer. It may begin a
        moment late: Asterisk would begin it while it dials, and one of the two waits for a processor."""
        if on == self._music:
            return
        self._music = on
        if on:
            self._post("POST", f"channels/{self.id}/moh", {"mohClass": music_class}, lazily=True)
        else:
            self.post("DELETE", "/moh")


class WhileAlive:
    """`async with channel.while_alive():` - the body is cut short by HungUp when the channel goes.

    Works as asyncio.timeout() does: it cancels the task and turns its own cancellation into HungUp.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._task: asyncio.Task[Any] | None = None
        self._cut = False
        self._left = False
        self._cancelling = 0

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - every coroutine of the engine runs in a task
        self._task, self._cancelling = task, task.cancelling()
        if self._channel.gone.done():
            raise HungUp
        self._channel.gone.add_done_callback(self._cut_short)

    def _cut_short(self, _: asyncio.Future[LegEnd]) -> None:
        if self._left or self._task is None:  # a callback that was scheduled already cannot be taken back
            return
        self._cut = True
        self._task.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._task is not None  # noqa: S101
        self._left = True
        self._channel.gone.remove_done_callback(self._cut_short)
        if self._cut and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise HungUp from None
