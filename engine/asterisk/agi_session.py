"""What an AGI script sees of a call, and may do with it."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from engine.asterisk.agi_wire import COMMAND_S, Reply, Wire
from engine.asterisk.dialplan import inert, language_of
from engine.asterisk.keys import OnKey
from engine.flow.digits import KEYS, Digits
from engine.flow.leg import ANY_KEY, HungUp, Recorded
from engine.flow.services import Identity, Services
from engine.journal.events import Event

if TYPE_CHECKING:
    from engine.config.site import Site

# No prompt is longer; a playback that is, is lost.
PLAY_S = 600.0
# How much later than a reply that tells a key the key itself may be heard.
HEARD_S = 0.5
# Recordings are .wav with 8,000 samples a second.
RATE_HZ = 8000

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DIALLED = re.compile(r"[0-9*#]{1,32}")
_READABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\([A-Za-z0-9_:.\-]*\))?")

# Bits 6 and 7 of Q.931's octet 3a, as Asterisk passes them on in agi_callingpres.
_PRESENTATIONS = {0x20: "restricted", 0x40: "unavailable"}

# Begins to hear the keys of a channel (by its id); what it gives says whether they are heard just now.
Hear = Callable[[str, OnKey], AbstractAsyncContextManager[Callable[[], bool]]]


@dataclass(frozen=True, slots=True)
class Rooms:
    """What of the engine scripts may use."""

    site: Site
    services: Services
    append: Callable[[Event], None]
    hear: Hear


class Session:
    """One call in one script; a Leg (engine/flow/leg.py). Any method raises HungUp once the caller has gone.

    Scripts cannot run a dialplan application: its arguments would be the caller's to write.
    `hears`: whether keys are told of as they are pressed, and not only in the replies to commands.
    """

    def __init__(self, wire: Wire, facts: Mapping[str, str], rooms: Rooms, digits: Digits) -> None:
        self._wire = wire
        self.rooms = rooms
        self.digits = digits
        self.up = False
        self._heard: list[str] = []
        self._pressed = asyncio.Event()
        self._music = False
        self.hears: Callable[[], bool] = lambda: False
        self.script = facts.get("network_script", "")
        self.call_id = facts.get("uniqueid", "")
        dialled = facts.get("dnid", "unknown")
        self.dialled = facts.get("extension", "") if dialled == "unknown" else dialled
        self.arguments = _arguments(facts)
        self.language = language_of(facts.get("language", ""))
        trunk = facts.get("channel", "").removeprefix("PJSIP/").rpartition("-")[0]
        number = facts.get("callerid", "")
        self.caller = rooms.site.hotline.caller(number, trunk=trunk, presentation=_presentation(facts))

    @property
    def identity(self) -> Identity:
        """The company's own word on who is calling."""
        return self.rooms.services.identity

    async def begin(self) -> None:
        """Before the script. Raises NotAgi, HungUp, AgiError."""
        self.up = await self._wire.synchronise() == "Up"

    # Variables.

    async def get_variable(self, name: str) -> str:
        """A channel variable, or a function such as `CALLERID(name)`; "" when there is none. Raises AgiError."""
        (value,) = await self.get_variables([name])
        return value

    async def get_variables(self, names: Sequence[str]) -> list[str]:
        """As get_variable(), several in one command."""
        for name in names:
            if not _READABLE.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a channel variable")
        # Encoded, because a line break in a value would otherwise be taken for the end of the reply.
        wanted = " ".join(f"${{URIENCODE(${{{name}}})}}" for name in names)
        values = ((await self._wire.command("GET FULL VARIABLE", wanted)).value or "").split(" ")
        values += [""] * (len(names) - len(values))
        return [unquote(value, errors="replace") for value in values[: len(names)]]

    async def set_variable(self, name: str, value: str) -> None:
        """Sets a channel variable, without the characters of `value` that could act in the dialplan
        ($ { } [ ] " \\ , | and whatever is not printable). Raises AgiError; ValueError for over 2,000 bytes."""
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a channel variable")
        await self._wire.command("SET VARIABLE", name, inert(value))

    async def set_arguments(self, name: str, values: Sequence[str]) -> None:
        """Sets a channel variable to what the dialplan can pass on as the arguments of an application."""
        await self._wire.command("SET VARIABLE", name, ",".join(inert(value) for value in values))

    # The leg.

    async def answer(self) -> None:
        """Take the call, unless it is taken already."""
        if not self.up:
            await self._wire.command("ANSWER")
            self.up = True

    async def play(self, prompts: Sequence[str], *, stops: str = ANY_KEY) -> bool:
        """Prompts, one after the other; False when a key of `stops` cut them short. Raises UnknownPrompt, AgiError."""
        await self.hold_music(False)
        for prompt in prompts:
            if self.digits.any_of(stops):
                return False
            path = self.rooms.site.sound(prompt, self.language)
            await self._command_for_key("STREAM FILE", path, stops, deadline_s=PLAY_S + COMMAND_S)
        return not self.digits.any_of(stops)

    async def digit(self, timeout_s: float) -> str | None:
        """The next key, typed ahead or now."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        while (key := self.digits.take()) is None and (left := until - loop.time()) > 0:
            await self._wait_for_key(left)
        return key

    async def hold_music(self, on: bool, music_class: str = "default") -> None:
        """Music until the next prompt."""
        if on != self._music:
            self._music = on
            await self._wire.command("SET MUSIC", *(("on", music_class) if on else ("off",)))

    async def record(self, file: Path, *, longest_s: float, silence_s: float, stops: str = "#") -> Recorded:
        """Record what the caller says. A hang-up ends it (HungUp), with the file as it is then."""
        await self.hold_music(False)
        reply, key = await self._command_for_key(
            "RECORD FILE",
            str(file.with_suffix("")),
            "wav",
            stops,
            str(round(longest_s * 1000)),
            f"s={math.ceil(silence_s)}",
            deadline_s=longest_s + COMMAND_S,
        )
        while key and self.digits.any_of(key):
            self.digits.take()
        return Recorded(file, reply.samples / RATE_HZ, key)

    async def hang_up(self, cause: int = 16) -> None:
        """End the call."""
        with suppress(HungUp):  # as it should be
            await self._wire.command("EXEC", "Hangup", str(cause))

    async def go_sub(self, context: str) -> None:
        """Once the script has ended, the dialplan goes through `context`, at the number that was dialled, and comes
        back by its Return() to the line below this script's. `context` is never the caller's to write."""
        extension = self.dialled if _DIALLED.fullmatch(self.dialled) else "0"
        await self._wire.command("EXEC", "Gosub", f"{context},{extension},1")

    # Keys.

    def press(self, key: str, lasted_s: float, at_s: float | None = None) -> None:
        """A key was heard, and let go at `at_s` (seconds since the epoch)."""
        self._heard.append(key)
        self.digits.press(key, lasted_s, at_s)
        self._pressed.set()

    async def _command_for_key(self, verb: str, *arguments: str, deadline_s: float) -> tuple[Reply, str | None]:
        """A command that a key may end, and that key. Where keys are heard they are believed, for their order and
        their number; a reply may come a moment before them."""
        self._heard.clear()
        reply = await self._wire.command(verb, *arguments, deadline_s=deadline_s)
        code = int(reply.result) if reply.result.isdecimal() else 0
        key = chr(code) if code and chr(code) in KEYS else None
        if key and not (self.hears() and await self._is_heard(key)):
            self.digits.press(key, at_s=time.time())
        return reply, key

    async def _is_heard(self, key: str) -> bool:
        try:
            async with asyncio.timeout(HEARD_S):
                while key not in self._heard:
                    self._pressed.clear()
                    await self._pressed.wait()
        except TimeoutError:
            return False
        return True

    async def _wait_for_key(self, longest_s: float) -> None:
        if self.hears():
            self._pressed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._pressed.wait(), longest_s)
        else:
            wait_ms = str(math.ceil(longest_s * 1000))
            await self._command_for_key("WAIT FOR DIGIT", wait_ms, deadline_s=longest_s + COMMAND_S)


def _arguments(facts: Mapping[str, str]) -> tuple[str, ...]:
    found: list[str] = []
    while (argument := facts.get(f"arg_{len(found) + 1}")) is not None:
        found.append(argument)
    return tuple(found)


def _presentation(facts: Mapping[str, str]) -> str:
    if facts.get("calleridname", "").lower() == "anonymous":
        return "restricted"
    said = facts.get("callingpres", "0")
    return _PRESENTATIONS.get(int(said) & 0x60 if said.isdecimal() else 0, "allowed")
