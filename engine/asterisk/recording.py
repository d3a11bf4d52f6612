"""What a party says, recorded by Asterisk into a file, from the first word to the last byte on the disk."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import structlog

from engine.asterisk.ari import AriError, AriRefused
from engine.flow.leg import HungUp

if TYPE_CHECKING:
    from engine.asterisk.channel import Channel

log = structlog.get_logger()

# How long Asterisk may take to close the file of somebody who has hung up, or who is done.
CLOSES_S = 2.0


class Recording:
    """One recording of a channel. `name` is its path below Asterisk's recording folder, without its extension.

    Asterisk's own `terminateOn` is not used: which key ended a recording is nothing that it tells, and a key has to be
    taken out of the call's buffer once and no more.
    """

    def __init__(self, channel: Channel, name: str) -> None:
        self.name = name
        self.duration_s = 0.0
        self._channel = channel
        self._ended = False
        self._unsure = False

    def note_end(self, about: Mapping[str, Any]) -> None:
        """Asterisk has closed the file, or never opened it."""
        if about["state"] == "failed":
            cause, remedy = about.get("cause", ""), "may Asterisk write to the state folder's recordings?"
            log.error("recording.failed", name=self.name, cause=cause, remedy=remedy)
        self.duration_s = float(about.get("duration") or 0)
        self._ended = True

    def note_missed_events(self) -> None:
        """After a reconnection its end may have been missed."""
        self._unsure = True

    async def until_ended(self, *, longest_s: float, silence_s: float, stops: str) -> str | None:
        """Records until a key of `stops`, `silence_s` seconds of silence or `longest_s` seconds; gives the key, which
        is taken out of the buffer with all that were pressed before it. However it ends, by a hang-up too, the file is
        closed when this returns or raises. Raises HungUp."""
        channel = self._channel
        try:
            await self._begin(math.ceil(longest_s), math.ceil(silence_s))
            over = False
            while not (over or self._ended or channel.digits.any_of(stops)):
                if self._unsure:
                    await self._look()
                over = not await channel.until(
                    lambda: self._ended or self._unsure or channel.digits.any_of(stops), longest_s + CLOSES_S
                )
        finally:
            await self._close()
        while key := channel.digits.take():
            if key in stops:
                return key
        return None

    async def _begin(self, longest_s: int, silence_s: int) -> None:
        try:
            await self._channel.command(
                "POST",
                "/record",
                name=self.name,
                format="wav",
                maxDurationSeconds=longest_s,
                maxSilenceSeconds=silence_s,
                ifExists="overwrite",
                terminateOn="none",
            )
        except HungUp:
            self._ended = True  # there is nothing to be closed
            raise

    async def _look(self) -> None:
        """Whether it still goes on."""
        self._unsure = False
        try:
            await self._channel.ari.request("GET", self._live)
        except AriError as error:
            self._ended = isinstance(error, AriRefused)  # else Asterisk is away again, and will be asked again

    async def _close(self) -> None:
        if self._ended:
            return
        with suppress(AriError):  # it has just ended by itself
            if not self._channel.gone.done():
                await self._channel.ari.request("POST", f"{self._live}/stop")
        await self._channel.until(lambda: self._ended, CLOSES_S)

    @property
    def _live(self) -> str:
        return f"recordings/live/{quote(self.name, safe='')}"
