"""Keys, as Asterisk tells of them: of its own accord for channels in our application, when asked to for others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import structlog

from engine.asterisk.ari import Ari, AriError, Event

log = structlog.get_logger()

# A key, how long it was held in seconds, and when it was let go, in seconds since the epoch.
OnKey = Callable[[str, float, float], object]


def key_of(event: Event) -> tuple[str, float, float]:
    """What a ChannelDtmfReceived tells, as OnKey takes it."""
    return event["digit"], event["duration_ms"] / 1000, datetime.fromisoformat(event["timestamp"]).timestamp()


class Ears:
    """The keys of channels that the dialplan has. Asterisk drops what is pressed between two commands of an AGI script
    (res_agi.c, run_agi), but tells of it all the same."""

    def __init__(self, ari: Ari) -> None:
        self._ari = ari
        self._heard: dict[str, OnKey] = {}

    @asynccontextmanager
    async def hear(self, channel_id: str, on_key: OnKey) -> AsyncIterator[Callable[[], bool]]:
        """Tells of a channel's keys for as long as the scope lasts. Gives what says whether it does just now."""
        told = self._ari.up.is_set()
        uri = f"applications/{self._ari.app}/subscription"
        source = {"eventSource": f"channel:{channel_id}"}
        self._heard[channel_id] = on_key
        try:
            if told:
                try:
                    await self._ari.request("POST", uri, source)
                except AriError as error:
                    told = False
                    log.warning("ears.cannot_hear", channel=channel_id, error=str(error))
            yield lambda: told and self._ari.up.is_set()
        finally:
            del self._heard[channel_id]
            if told:  # gone with its channel, if that is what happened
                self._ari.send("DELETE", uri, source, lazily=True).add_done_callback(_look_away)

    def note(self, event: Event) -> None:
        """A key of a channel that is not in our application."""
        on_key = self._heard.get(event["channel"]["id"])
        if on_key is not None:
            on_key(*key_of(event))


def _look_away(reply: asyncio.Future[Any]) -> None:
    """Of an answer that nobody needs."""
    if not reply.cancelled():
        reply.exception()
