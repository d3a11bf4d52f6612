"""One Asterisk: its channels, its bridges, its phones, as the rest of the engine sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog

from engine.asterisk.ari import Ari, AriError, AriRefused, Event
from engine.asterisk.channel import CallerLeg, Channel, SoundPath
from engine.asterisk.keys import Ears, key_of
from engine.flow.leg import HungUp

log = structlog.get_logger()

_ENDS = ("ChannelDestroyed", "StasisEnd")
# What we act on; everything else costs Asterisk and us CPU for nothing.
EVENTS = (
    *_ENDS,
    "StasisStart",
    "ChannelStateChange",
    "ChannelDtmfReceived",
    "PlaybackFinished",
    "RecordingFinished",
    "RecordingFailed",
    "DeviceStateChanged",
    "RESTResponse",  # the filter holds back even the answers to our own commands
)


# Asterisk's refusal to dial on behalf of a channel that has just gone (resource_channels.c).
CALLER_HAS_LEFT = 400


class LegOf(StrEnum):
    """Whose leg an engine makes: how its channel's id begins, so that the next engine knows it for an engine's."""

    AGENT = "agent"
    OUTSIDE = "outside"

    def id(self, rest: str) -> str:
        """The id of a leg's channel; `rest` tells it from all others."""
        return f"{self}-{rest}"


_MADE_BY_ENGINES = tuple(kind.id("") for kind in LegOf)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A caller whom the dialplan has handed over: for good, or with an errand, the arguments of Stasis(hotline,…),
    after which they go on in the dialplan. `language`: Asterisk's word for it."""

    leg: CallerLeg
    dialled: str
    number: str
    presentation: str
    trunk: str
    language: str = ""
    errand: tuple[str, ...] = ()


class Node:
    """The engine's face of one Asterisk.

    `sound` finds prompts for the calls that begin from now on. `on_arrival` starts a call, `on_device` tells a
    phone's state (`down`, `idle`, `busy`), `on_strangers` runs after a (re)connection with the channels that Asterisk
    still has and we did not know, `on_restart` when Asterisk itself has been started again meanwhile.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        *,
        app: str = "hotline",
        sound: SoundPath,
        recordings: Path,
        on_arrival: Callable[[Arrival], None],
        on_device: Callable[[str, str], None],
        on_strangers: Callable[[Sequence[dict[str, Any]]], None],
        on_restart: Callable[[], None] = lambda: None,
        over_websocket: bool = True,
    ) -> None:
        self.ari = Ari(
            url,
            user,
            password,
            app,
            on_event=self._note,
            on_up=self._resync,
            over_websocket=over_websocket,
        )
        self.ears = Ears(self.ari)
        self.version = ""
        self.started_ms = 0
        self.sound = sound
        self._recordings = recordings
        self._on_arrival, self._on_device = on_arrival, on_device
        self._on_strangers, self._on_restart = on_strangers, on_restart
        self._channels: dict[str, Channel] = {}
        self._unowned: set[str] = set()  # of Asterisk's last list of channels, those that no call has taken yet
        self._left: set[str] = set()  # who has left since that list was asked for, of it and while it was on its way
        self._phones: tuple[str, ...] = ()

    # Calls out and bridges.

    def originate(
        self, channel_id: str, endpoint: str, *, caller_id: str, originator: str, timeout_s: int
    ) -> tuple[Channel, asyncio.Future[Any]]:
        """Rings an endpoint under our own channel id: its channel at once, and Asterisk's answer to come.

        `refusal` reads that answer. Whoever does not want the leg any more drops it, answered or not.
        """
        channel = Channel(self.ari, channel_id)
        query = {"originator": originator} if originator else {}
        return channel, self._dial(channel, endpoint, caller_id, timeout_s, **query)

    def call(self, leg: CallerLeg, endpoint: str, *, caller_id: str, timeout_s: int) -> asyncio.Future[Any]:
        """Rings somebody who has asked to be called; as `originate`, for a leg of `callee`."""
        return self._dial(leg, endpoint, caller_id, timeout_s)

    def callee(self, channel_id: str) -> CallerLeg:
        """A leg for somebody who is yet to be called."""
        return CallerLeg(self.ari, channel_id, "", "Down", self.sound, self._recordings)

    def _dial(
        self, channel: Channel, endpoint: str, caller_id: str, timeout_s: int, **more: str
    ) -> asyncio.Future[Any]:
        self._channels[channel.id] = channel
        query: dict[str, str | int] = {
            "endpoint": endpoint,
            "app": self.ari.app,
            "channelId": channel.id,
            "callerId": caller_id,
            "timeout": timeout_s,
            **more,
        }
        channel.dialled = self.ari.send("POST", "channels", query, overtaking=True)
        return channel.dialled

    async def refusal(self, leg: Channel, dialled: asyncio.Future[Any]) -> int | None:
        """None once Asterisk dials what `originate` has asked for; else the status of its refusal, and the leg is gone.

        500 means `no phone there`, so that the dial could not even begin; the other one is CALLER_HAS_LEFT. Raises
        AriError.
        """
        try:
            await dialled
        except AriRefused as refused:
            if refused.status == 409:  # a command that was repeated after a reconnection had already worked
                return None
            self._channels.pop(leg.id, None)
            leg.note_gone({})
            return refused.status
        return None

    async def bridge(self, bridge_id: str, *channels: Channel) -> None:
        """Lets channels talk. Raises AriRefused when one has left."""
        made = self.ari.send("POST", f"bridges/{bridge_id}", {"type": "mixing"})
        members = {"channel": ",".join(channel.id for channel in channels)}
        if any(channel.playing for channel in channels):
            # Joining waits for the channels' own threads; while one of them plays, every other call would wait
            # with it on the WebSocket.
            await asyncio.wait({made})
            await self.ari.http("POST", f"bridges/{bridge_id}/addChannel", members)
            return
        joined = self.ari.send("POST", f"bridges/{bridge_id}/addChannel", members)
        for answer in (joined, made):  # answered in the order of asking, so the second is there with the first
            try:
                await answer
            except AriRefused as refused:
                if refused.status != 409:  # a command that was repeated after a reconnection had already worked
                    made.cancel()
                    raise

    async def unbridge(self, bridge_id: str) -> None:
        """Takes a bridge down; one that is gone already is fine."""
        try:
            await self.ari.request("DELETE", f"bridges/{bridge_id}")
        except AriRefused as refused:
            if refused.status != 404:
                raise

    async def bridges(self) -> list[str]:
        """The ids of every bridge that an ARI application has made. Raises AriError."""
        return [bridge["id"] for bridge in await self.ari.http("GET", "bridges") if bridge["bridge_class"] == "stasis"]

    async def hand_back(self, channel: Channel, context: str) -> None:
        """Gives a channel back to the dialplan."""
        try:
            await channel.command("POST", "/continue", context=context, extension="s", priority=1)
        except HungUp:  # a command that was repeated after a reconnection had already worked
            self._let_go(channel)

    async def go_on(self, channel: Channel) -> None:
        """Gives a channel back to the line of the dialplan below its Stasis(), which then is no longer ours."""
        with suppress(HungUp):  # as above
            await channel.command("POST", "/continue")
        self._let_go(channel)

    def _let_go(self, channel: Channel, *, lost: bool = False) -> None:
        """The dialplan has it back, or it is `lost`."""
        if self._channels.get(channel.id) is channel:
            del self._channels[channel.id]
        channel.note_gone(None if lost else {})

    async def end_stranger(self, channel_id: str) -> None:
        """Hangs up a channel that no call owns."""
        await Channel(self.ari, channel_id).hang_up()

    # What Asterisk tells.

    def _note(self, event: Event) -> None:
        kind = event["type"]
        if kind == "PlaybackFinished":
            self._note_playback(event["playback"])
        elif "recording" in event:
            self._note_recording(event["recording"])
        elif kind == "DeviceStateChanged":
            self._note_device(event["device_state"])
        elif "channel" in event:
            self._note_channel(kind, event)

    def _note_channel(self, kind: str, event: Event) -> None:
        about = event["channel"]
        channel = self._channels.get(about["id"])
        if kind in _ENDS and (about["id"] in self._unowned or not self.ari.up.is_set()):
            self._left.add(about["id"])
        if channel is None:
            if kind == "StasisStart":
                self._begin(about)
            elif kind == "ChannelDtmfReceived":
                self.ears.note(event)
        elif kind == "ChannelDtmfReceived":
            channel.note_digit(*key_of(event))
        elif kind in _ENDS:
            channel.note_gone(event)
            del self._channels[channel.id]
        else:
            channel.note_state(about["state"])
            if kind == "StasisStart":
                channel.note_in_stasis()

    def _begin(self, about: dict[str, Any]) -> None:
        self._left.discard(about["id"])  # the dialplan may lend a caller again
        if about["id"].startswith(_MADE_BY_ENGINES):  # whoever asked for the leg has given it up
            Channel(self.ari, about["id"]).drop()
        else:
            self.arrive(about)

    def _note_playback(self, playback: dict[str, Any]) -> None:
        channel = self._channels.get(playback["target_uri"].removeprefix("channel:"))
        if channel is not None:
            channel.note_playback_end(playback["id"], playback["state"] == "failed")

    def _note_recording(self, recording: dict[str, Any]) -> None:
        channel = self._channels.get(recording["target_uri"].removeprefix("channel:"))
        if channel is not None:
            channel.note_recording_end(recording)

    def _note_device(self, device: dict[str, str]) -> None:
        technology, _, name = device["name"].partition("/")
        if technology == "PJSIP":
            self._on_device(name, _DEVICE.get(device["state"], "busy"))

    def arrive(self, about: dict[str, Any]) -> None:
        """A caller's channel begins its call."""
        leg = self.adopt_caller(about)
        caller = about["caller"]
        trunk = about["name"].removeprefix("PJSIP/").rpartition("-")[0]
        hidden = caller["name"].strip().lower() == "anonymous"
        presentation = "restricted" if hidden else "allowed"
        place = about["dialplan"]
        self._on_arrival(
            Arrival(
                leg,
                place["exten"],
                caller["number"],
                presentation,
                trunk,
                about["language"],
                errand=tuple(place["app_data"].split(",")[1:]),
            )
        )

    # Beginning, and beginning again.

    def adopt_caller(self, about: dict[str, Any]) -> CallerLeg:
        """A caller's channel that Asterisk has."""
        leg = CallerLeg(self.ari, about["id"], about["name"], about["state"], self.sound, self._recordings)
        self._adopt(leg, about)
        return leg

    def adopt_agent(self, about: dict[str, Any]) -> Channel:
        """An agent's channel that Asterisk has."""
        channel = Channel(self.ari, about["id"], about["name"], about["state"])
        self._adopt(channel, about)
        return channel

    def _adopt(self, channel: Channel, about: dict[str, Any]) -> None:
        self._unowned.discard(channel.id)
        if channel.id in self._left:
            channel.note_gone({})
            return
        self._channels[channel.id] = channel
        if _in_stasis(about):
            channel.note_in_stasis()

    def absent_caller(self, channel_id: str, *, lost: bool) -> CallerLeg:
        """A caller who left while no engine watched; `lost` when Asterisk itself went down with them."""
        leg = CallerLeg(self.ari, channel_id, "", "Down", self.sound)
        leg.note_gone(None if lost else {})
        return leg

    def absent_agent(self, channel_id: str) -> Channel:
        """An agent's leg that ended while no engine watched."""
        channel = Channel(self.ari, channel_id)
        channel.note_gone({})
        return channel

    def watch(self, phones: Sequence[str]) -> None:
        """Which phones' states to be told of, from the next (re)connection on."""
        self._phones = tuple(phones)

    async def _resync(self) -> None:
        """Levels, not edges: Asterisk queues no events for an application that is away, so everything that
        may have been missed is read again (pitfall 13)."""
        app = self.ari.app
        allowed = {"allowed": [{"type": name} for name in EVENTS]}
        await self.ari.http("PUT", f"applications/{app}/eventFilter", body=allowed)
        info = await self.ari.http("GET", "asterisk/info")
        self.version = info["system"]["version"]
        started_ms = round(datetime.fromisoformat(info["status"]["startup_time"]).timestamp() * 1000)
        before, self.started_ms = self.started_ms, started_ms
        await self._resync_channels(app)
        await self.look_at_phones()
        if before not in (0, started_ms):
            self._on_restart()

    async def _resync_channels(self, app: str) -> None:
        # The list is of one moment; who comes or goes while it is on its way, events tell.
        self._left.clear()
        known = list(self._channels.values())
        ours = set((await self.ari.http("GET", f"applications/{app}"))["channel_ids"])
        there = {c["id"]: c for c in await self.ari.http("GET", "channels") if c["id"] not in self._left}
        for channel in known:
            about = there.get(channel.id)
            if about is None:
                if not channel.to_be_made:
                    self._let_go(channel, lost=True)
            elif channel.in_stasis and not _in_stasis(about):
                self._let_go(channel)
            else:
                channel.note_state(about["state"])
                channel.note_missed_events()
                if _in_stasis(about):
                    channel.note_in_stasis()
        # Among `ours` are channels that we only hear the keys of: the dialplan has those. A leg that an engine made is
        # in no Stasis before it is answered; its id is an engine's.
        left_over = [there[i] for i in ours if i in there and i not in self._channels]
        strangers = [a for a in left_over if _in_stasis(a) or a["id"].startswith(_MADE_BY_ENGINES)]
        self._unowned = {about["id"] for about in strangers}
        self._on_strangers(strangers)

    async def look_at_phones(self) -> None:
        """Reads every watched phone's state and asks to be told of changes. Raises AriError."""
        app = self.ari.app
        for start in range(0, len(self._phones), 50):  # the list travels in a URL
            some = ",".join(f"deviceState:PJSIP/{phone}" for phone in self._phones[start : start + 50])
            await self.ari.http("POST", f"applications/{app}/subscription", {"eventSource": some})
        wanted = set(self._phones)
        if wanted:
            for endpoint in await self.ari.http("GET", "endpoints/PJSIP"):
                if endpoint["resource"] in wanted:
                    state = "idle" if endpoint["state"] == "online" else "down"
                    self._on_device(endpoint["resource"], "busy" if endpoint["channel_ids"] else state)

    async def until_up(self, deadline_s: float) -> None:
        """Waits for the first connection. Raises AriError."""
        try:
            await asyncio.wait_for(self.ari.up.wait(), deadline_s)
        except TimeoutError:
            raise AriError(f"Asterisk's ARI did not answer in {deadline_s:g} s") from None


def _in_stasis(about: dict[str, Any]) -> bool:
    return bool(about["dialplan"]["app_name"] == "Stasis")


# Asterisk's device states (include/asterisk/devicestate.h) on the ACD's device axis.
_DEVICE = {"NOT_INUSE": "idle", "UNAVAILABLE": "down", "INVALID": "down", "UNKNOWN": "down"}
