"""One channel: what the engine knows of it (a level, kept by events) and what it can do to it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

import structlog

from engine.asterisk.ari import Ari, AriRefused, Query
from engine.flow.leg import HungUp

if TYPE_CHECKING:
    from engine.asterisk.ari import Event

log = structlog.get_logger()

# What Asterisk answers about a channel that is on its way out: information, not a fault.
GONE = (404, 409, 412, 422)

# Where a prompt's file is: (name, language) → path without extension.
SoundPath = Callable[[str, str], str]

# More keys than any menu or account number needs: a stuck key must not grow the buffer for ever.
MOST_DIGITS = 64


@dataclass(frozen=True, slots=True)
class LegEnd:
    """Why a channel ended: Q.850 cause and, where Asterisk tells it (22.7), the SIP status."""

    cause: int = 0
    tech_cause: int | None = None
    lost: bool = False


class Channel:
    """A channel in our application. `up`, `ringing` and `gone` are each resolved once."""

    def __init__(self, ari: Ari, channel_id: str, name: str = "", state: str = "Down") -> None:
        loop = asyncio.get_running_loop()
        self.id = channel_id
        self.name = name
        self.ari = ari
        self.ringing: asyncio.Future[None] = loop.create_future()
        self.up: asyncio.Future[None] = loop.create_future()
        self.gone: asyncio.Future[LegEnd] = loop.create_future()
        self._hangup_cause: tuple[int, int | None] | None = None
        self._digits: deque[str] = deque(maxlen=MOST_DIGITS)
        self._digit_waiter: asyncio.Future[None] | None = None
        self._playback: tuple[str, asyncio.Future[bool]] | None = None
        self._playbacks = 0
        self._playing: set[str] = set()
        self._music = False
        self.note_state(state)

    # What events tell.

    def note_state(self, state: str) -> None:
        """Asterisk's channel state: Ringing, Up and the others."""
        if state == "Ringing" and not self.ringing.done():
            self.ringing.set_result(None)
        elif state == "Up" and not self.up.done():
            self.up.set_result(None)

    def note_digit(self, digit: str) -> None:
        """A key was pressed: kept until a step asks for it."""
        self._digits.append(digit)
        if self._digit_waiter is not None and not self._digit_waiter.done():
            self._digit_waiter.set_result(None)

    def note_playback_end(self, playback_id: str, failed: bool) -> None:
        """A playback ended; nobody waits any more for one that was cut short."""
        self._playing.discard(playback_id)
        if self._playback is not None and self._playback[0] == playback_id and not self._playback[1].done():
            self._playback[1].set_result(not failed)

    def note_missed_playback(self) -> None:
        """After a reconnection: the end of a playback may have been missed, and waiting on would be silence."""
        self._playing.clear()
        if self._playback is not None and not self._playback[1].done():
            self._playback[1].set_result(True)

    def note_hangup(self, event: Event) -> None:
        """The far end wants to go; the cause is kept because later events may carry a weaker one."""
        if self._hangup_cause is None and "cause" in event:
            self._hangup_cause = (event["cause"], event.get("tech_cause"))

    def note_gone(self, event: Event | None = None) -> None:
        """The channel has left; None when it was found missing after a reconnection."""
        if self.gone.done():
            return
        if event is None:
            self.gone.set_result(LegEnd(lost=True))
            return
        self.note_hangup(event)
        cause, tech_cause = self._hangup_cause or (0, None)
        self.gone.set_result(LegEnd(cause, tech_cause))

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

    def post(self, method: str, verb: str, **query: str | int) -> None:
        """A command on this channel that nobody waits for."""
        self._post(method, f"channels/{self.id}{verb}", query)

    def _post(self, method: str, uri: str, query: Query | None = None, *, lazily: bool = False) -> None:
        self.ari.send(method, uri, query, lazily=lazily).add_done_callback(self._posted)

    def _posted(self, reply: asyncio.Future[Any]) -> None:
        error = None if reply.cancelled() else reply.exception()
        if error is not None and not (isinstance(error, AriRefused) and error.status in GONE):
            log.warning("channel.post_failed", channel=self.id, error=str(error))

    async def hang_up(self, reason: str = "normal") -> None:
        """Ends it, whatever state it is in; returns once Asterisk has taken the order."""
        if not self.gone.done():
            with suppress(AriRefused):
                await self.ari.request("DELETE", f"channels/{self.id}", {"reason": reason})

    def drop(self, reason: str = "normal") -> None:
        """hang_up() that nobody waits for."""
        if not self.gone.done():
            self.post("DELETE", "", reason=reason)

    def while_alive(self) -> WhileAlive:
        """A scope that raises HungUp, from wherever its body is, when the channel goes."""
        return WhileAlive(self)


class CallerLeg(Channel):
    """The caller's channel as a flow's Leg (engine/flow/leg.py)."""

    language: str = "zh-CN"

    def __init__(self, ari: Ari, channel_id: str, name: str, state: str, sound: SoundPath) -> None:
        super().__init__(ari, channel_id, name, state)
        self._sound = sound

    async def answer(self) -> None:
        """200 OK to the carrier."""
        if not self.up.done():
            await self.command("POST", "/answer")

    async def play(self, prompts: Sequence[str], *, interruptible: bool = True) -> bool:
        """One playback for all prompts; a key ends it at once and stays in the buffer."""
        if interruptible and self._digits:
            return False
        if self._music:
            await self.hold_music(False)
        self._playbacks += 1
        playback_id = f"{self.id}-p{self._playbacks}"
        finished: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._playback = (playback_id, finished)
        self._playing.add(playback_id)
        media = ",".join(f"sound:{self._sound(name, self.language)}" for name in prompts)
        try:
            await self.command("POST", "/play", media=media, playbackId=playback_id)
            if not interruptible:
                await finished
                return True
            waiter = self._next_digit()
            await asyncio.wait((finished, waiter), return_when=asyncio.FIRST_COMPLETED)
            return not self._digits
        finally:
            if not finished.done() or finished.cancelled():  # cancelling whoever awaits a future cancels it too
                self._post("DELETE", f"playbacks/{playback_id}", lazily=True)
            self._playback = None

    async def digit(self, timeout_s: float) -> str | None:
        """The next key in the buffer, or the next one pressed."""
        if not self._digits:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._next_digit()
        return self._digits.popleft() if self._digits else None

    def _next_digit(self) -> asyncio.Future[None]:
        self._digit_waiter = asyncio.get_running_loop().create_future()
        if self._digits:
            self._digit_waiter.set_result(None)
        return self._digit_waiter

    async def hold_music(self, on: bool, music_class: str = "default") -> None:
        """Music from Asterisk's own class; sent without waiting, as nothing depends on its answer."""
        if on == self._music:
            return
        self._music = on
        if on:
            self.post("POST", "/moh", mohClass=music_class)
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
