"""One caller on every kind of leg, on a clock that does not wait: an ARI channel, an AGI session, the simulator's.

Each telephone ends at the line to Asterisk: what the leg sends is obeyed as Asterisk would, and takes as long. Prompts
last a second each. A caller who is recorded talks for five seconds, and then says nothing more.
"""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, cast

from engine.asterisk.agi_session import Session
from engine.asterisk.agi_wire import Wire
from engine.asterisk.ari import Ari
from engine.asterisk.channel import CallerLeg
from engine.flow.digits import Digits
from engine.flow.leg import Leg
from engine.simulator.leg import TALKS_S, SimulatedLeg
from tests.unit.fake_asterisk import FACTS, rooms

PROMPT_S = 1.0
KEY_S = 0.1
RECORDINGS = Path("/recordings")


def _digits() -> Digits:
    """A buffer by the loop's clock."""
    return Digits(clock=asyncio.get_running_loop().time)


class Telephone(Protocol):
    """A leg, and the caller's fingers."""

    @property
    def leg(self) -> Leg: ...

    def press(self, key: str) -> None:
        """The caller lets a key go that they have held for KEY_S seconds."""

    async def begin(self) -> None:
        """Before the first step."""


class OnSimulator:
    def __init__(self) -> None:
        self.leg = SimulatedLeg("zh-CN", lambda *_: PROMPT_S)

    def press(self, key: str) -> None:
        self.leg.press(key)

    async def begin(self) -> None:
        pass


class OnAri:
    """An ARI channel, and as much of Asterisk as a leg uses."""

    def __init__(self) -> None:
        self.leg = CallerLeg(cast(Ari, self), "c1", "PJSIP/x-1", "Ring", lambda prompt, _: prompt, RECORDINGS)
        self.leg.digits = _digits()
        self._loop = asyncio.get_running_loop()

    def press(self, key: str) -> None:
        self.leg.note_digit(key, KEY_S)

    async def begin(self) -> None:
        pass

    def send(self, method: str, uri: str, query: Any = None, **_: Any) -> asyncio.Future[Any]:
        answer = self._loop.create_future()
        answer.set_result(None)
        match method, uri.split("/")[0], uri.split("/")[-1]:
            case "POST", _, "answer":
                self.leg.note_state("Up")
            case "POST", _, "play":
                lasts_s = PROMPT_S * len(query["media"].split(","))
                self._loop.call_later(lasts_s, self.leg.note_playback_end, query["playbackId"], False)
            case "DELETE", "playbacks", playback:
                self.leg.note_playback_end(playback, False)
            case "POST", _, "record":
                lasts_s = min(TALKS_S + query["maxSilenceSeconds"], query["maxDurationSeconds"])
                self._loop.call_later(lasts_s, self._recorded, query["name"])
            case "POST", "recordings", _:
                self._recorded(uri.removeprefix("recordings/live/").rpartition("/")[0].replace("%2F", "/"))
            case _:
                pass
        return answer

    async def request(self, method: str, uri: str, query: Any = None, **_: Any) -> Any:
        return await self.send(method, uri, query)

    http = request

    def _recorded(self, name: str) -> None:
        self.leg.note_recording_end({"name": name, "state": "done", "duration": round(TALKS_S)})


class OnAgi:
    """An AGI session, and Asterisk's end of its wire: one command after the other."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = asyncio.StreamReader()
        self._wire = Wire(self._reader, cast(asyncio.StreamWriter, self))
        self._stops, self._begun = "", 0.0
        self._ends: asyncio.TimerHandle | None = None
        self.leg = Session(self._wire, FACTS, rooms(), _digits())
        self.leg.hears = lambda: True

    async def begin(self) -> None:
        self._listening = asyncio.ensure_future(self._wire.listen())

    def press(self, key: str) -> None:
        self.leg.press(key, KEY_S)
        if self._ends is not None and key in self._stops:
            self._ends.cancel()
            self._end(ord(key))

    def write(self, line: bytes) -> None:
        """What a StreamWriter does."""
        verb, _, rest = re.sub(r' (?=")', "\t", line.decode().strip(), count=1).partition("\t")
        arguments = shlex.split(rest)
        self._begun = self._loop.time()
        match verb:
            case "STREAM FILE":
                self._lasts(PROMPT_S, stops=arguments[1])
            case "RECORD FILE":
                longest_s, silence_s = int(arguments[3]) / 1000, int(arguments[4].removeprefix("s="))
                self._lasts(min(TALKS_S + silence_s, longest_s), stops=arguments[2])
            case "ANSWER" | "SET MUSIC" | "EXEC":
                self._say("200 result=0")
            case _:
                raise AssertionError(line)

    def _lasts(self, seconds: float, *, stops: str) -> None:
        self._stops = stops
        self._ends = self._loop.call_later(seconds, self._end, 0)

    def _end(self, key: int) -> None:
        self._ends = None
        self._say(f"200 result={key} endpos={round((self._loop.time() - self._begun) * 8000)}")

    def _say(self, line: str) -> None:
        self._reader.feed_data(f"{line}\n".encode())


TELEPHONES: dict[str, Callable[[], Telephone]] = {"ARI": OnAri, "AGI": OnAgi, "simulator": OnSimulator}
