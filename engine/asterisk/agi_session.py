"""What an AGI script sees of a call, and may do with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from engine.asterisk.agi_wire import COMMAND_S, Wire
from engine.identity.endpoint import Identity, NoIdentity
from engine.identity.numbers import normalise
from engine.sounds import LANGUAGES

# No prompt is longer; a playback that is, is lost.
PLAY_S = 600.0
KEYS = "0123456789*#"

# What a variable's text could do where the dialplan expands it: begin another expansion or expression, end a
# quoted string, add an argument.
_ACTIVE = re.compile(r'[${}\[\]"\\,|]')
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_READABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\([A-Za-z0-9_:.\-]*\))?")

# Bits 6 and 7 of Q.931's octet 3a, as Asterisk passes them on in agi_callingpres.
_PRESENTATIONS = {0x20: "restricted", 0x40: "unavailable"}


@dataclass(frozen=True, slots=True)
class Rooms:
    """What of the engine scripts may use. `sound`: the path of a prompt in a language, without extension."""

    identity: Identity | NoIdentity
    sound: Callable[[str, str], str]
    area_code: str | None = None


class Session:
    """One call in one script; a Leg (engine/flow/leg.py). Any method raises HungUp once the caller has gone.

    There is no way to run a dialplan application from here: its arguments would be the caller's to write.
    """

    def __init__(self, wire: Wire, facts: Mapping[str, str], rooms: Rooms) -> None:
        self._wire = wire
        self._rooms = rooms
        self._key: str | None = None
        self._music = False
        self.script = facts.get("network_script", "")
        self.call_id = facts.get("uniqueid", "")
        dialled = facts.get("dnid", "unknown")
        self.dialled = facts.get("extension", "") if dialled == "unknown" else dialled
        self.arguments = _arguments(facts)
        self.language = _language(facts.get("language", ""))
        self.caller = normalise(facts.get("callerid", ""), area_code=rooms.area_code, presentation=_presentation(facts))

    @property
    def identity(self) -> Identity | NoIdentity:
        """The company's own word on who is calling."""
        return self._rooms.identity

    async def get_variable(self, name: str) -> str:
        """A channel variable, or a function such as `CALLERID(name)`; "" when there is none. Raises AgiError."""
        if not _READABLE.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a channel variable")
        # Encoded, because a line break in its value would otherwise be taken for the end of the reply.
        reply = await self._wire.command("GET FULL VARIABLE", f"${{URIENCODE(${{{name}}})}}")
        return unquote(reply.value or "", errors="replace")

    async def set_variable(self, name: str, value: str) -> None:
        """Sets a channel variable, without the characters of `value` that could act in the dialplan
        ($ { } [ ] " \\ , | and whatever is not printable). Raises AgiError; ValueError for over 2,000 bytes."""
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a channel variable")
        await self._wire.command("SET VARIABLE", name, inert(value))

    async def answer(self) -> None:
        """Take the call, unless it is taken already."""
        await self._wire.command("ANSWER")

    async def play(self, prompts: Sequence[str], *, interruptible: bool = True) -> bool:
        """Prompts, one after the other; False when a key cut them short. Raises UnknownPrompt, AgiError."""
        if interruptible and self._key:
            return False
        await self.hold_music(False)
        for prompt in prompts:
            path = self._rooms.sound(prompt, self.language)
            reply = await self._wire.command(
                "STREAM FILE", path, KEYS if interruptible else "", deadline_s=PLAY_S + COMMAND_S
            )
            self._key = _key(reply.result) or self._key
            if interruptible and self._key:
                return False
        return True

    async def digit(self, timeout_s: float) -> str | None:
        """The key that cut a prompt short, or the next one. Asterisk keeps none that come between commands."""
        if self._key:
            key, self._key = self._key, None
            return key
        wait_ms = str(round(timeout_s * 1000))
        reply = await self._wire.command("WAIT FOR DIGIT", wait_ms, deadline_s=timeout_s + COMMAND_S)
        return _key(reply.result)

    async def hold_music(self, on: bool) -> None:
        """Asterisk's default music class, until the next prompt."""
        if on != self._music:
            self._music = on
            await self._wire.command("SET MUSIC", "on" if on else "off")

    async def hang_up(self) -> None:
        """End the call."""
        await self._wire.command("HANGUP")


def inert(text: str) -> str:
    """Text that means nothing but itself wherever the dialplan expands it."""
    return "".join(letter for letter in _ACTIVE.sub("", text) if letter.isprintable())


def _key(result: str) -> str | None:
    code = int(result) if result.isdecimal() else 0
    return chr(code) if code and chr(code) in KEYS else None


def _arguments(facts: Mapping[str, str]) -> tuple[str, ...]:
    found: list[str] = []
    while (argument := facts.get(f"arg_{len(found) + 1}")) is not None:
        found.append(argument)
    return tuple(found)


def _language(said: str) -> str:
    """Ours that is nearest to Asterisk's: `zh` and `zh_CN` are zh-CN."""
    wanted = re.split("[-_]", said)[0].lower()
    return next((ours for ours in LANGUAGES if ours.split("-")[0] == wanted), LANGUAGES[0])


def _presentation(facts: Mapping[str, str]) -> str:
    if facts.get("calleridname", "").lower() == "anonymous":
        return "restricted"
    said = facts.get("callingpres", "0")
    return _PRESENTATIONS.get(int(said) & 0x60 if said.isdecimal() else 0, "allowed")
