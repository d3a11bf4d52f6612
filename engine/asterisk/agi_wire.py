"""AGI's wire: a block of facts, then commands and replies, one at a time, with HANGUP whenever it pleases.

Source: Asterisk documentation, "Asterisk Gateway Interface (AGI)", and res/res_agi.c.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from asyncio import StreamReader, StreamWriter
from dataclasses import dataclass

import structlog

from engine.flow.leg import HungUp

log = structlog.get_logger()

MOST_BYTES = 16 * 1024
MOST_LINES = 100
# Asterisk reads commands into a buffer of this size; what does not fit would be read as the next command.
ASTERISK_BUFFER = 2048
COMMAND_S = 5.0

_REPLY = re.compile(r"(\d{3}) (?:result=(\S*)(?: \((.*)\))?(?: endpos=(\d+))?)?")
_UNQUOTABLE = re.compile(r"[\x00\r\n]")


class NotAgi(Exception):  # noqa: N818 - said of a peer, in one sentence
    """What the peer sent is no AGI request."""


class AgiError(Exception):
    """Asterisk refused a command (510, 520), or did not answer it in time."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`result` is the number after `result=`, `value` what stood in brackets behind it (None: nothing did),
    `samples` how much was played or recorded."""

    result: str
    value: str | None
    samples: int = 0


async def read_request(reader: StreamReader) -> dict[str, str]:
    """The facts of a call, up to the blank line, without their `agi_`. Raises NotAgi.

    Asterisk passes on the line breaks in a caller's number or name ("%0a" in a SIP address): such a caller writes
    lines of this block. But it says every fact itself, once, and arguments come last; whoever says one again or
    too early is refused. Against a forged end of the block there is Wire.synchronise.
    """
    facts: dict[str, str] = {}
    size = 0
    for _ in range(MOST_LINES):
        try:
            line = await reader.readline()
        except ValueError:
            raise NotAgi(f"a line longer than {MOST_BYTES} bytes") from None
        size += len(line)
        if not line.endswith(b"\n"):
            raise NotAgi("ended before the blank line")
        if size > MOST_BYTES:
            raise NotAgi(f"more than {MOST_BYTES} bytes before the blank line")
        name, colon, value = line.decode("utf-8", "replace").strip().partition(":")
        if not name:
            return facts
        if not (colon and name.startswith("agi_")):
            raise NotAgi("a line that is no `agi_…: …`")
        fact = name.removeprefix("agi_")
        if fact in facts or (fact.startswith("arg_") and "threadid" not in facts):
            raise NotAgi(f"{name[:40]} where Asterisk would not say it: a line break in the caller's number or name")
        facts[fact] = value.strip()
    raise NotAgi(f"more than {MOST_LINES} lines before the blank line")


def command_line(verb: str, *arguments: str) -> bytes:
    """One command, every argument in quotes. Raises ValueError for what could not be one argument."""
    quoted = [verb]
    for argument in arguments:
        if _UNQUOTABLE.search(argument):
            raise ValueError("an AGI argument cannot hold a line break")
        quoted.append('"' + argument.replace("\\", "\\\\").replace('"', '\\"') + '"')
    line = " ".join(quoted).encode("utf-8", "replace") + b"\n"
    if len(line) >= ASTERISK_BUFFER:
        raise ValueError(f"an AGI command of {len(line)} bytes; Asterisk takes {ASTERISK_BUFFER - 1}")
    return line


class Wire:
    """Both directions after the block. `listen` must run for as long as commands are given."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._turn = asyncio.Lock()
        self._reply: asyncio.Future[str | None] | None = None
        self._gone = False
        self._out_of_step = False

    async def synchronise(self) -> str:
        """Makes sure that what is read from now on are replies; gives the channel's state. Raises NotAgi, HungUp,
        AgiError.

        A caller who could end the block of facts with a line break could write replies too, but not this one.
        """
        nonce = secrets.token_hex(8)
        echo, _, state = (
            (await self.command("GET FULL VARIABLE", nonce + " ${CHANNEL(state)}")).value or ""
        ).partition(" ")
        if echo != nonce:
            raise NotAgi("a reply to what was never said: a line break in the caller's number or name")
        return state

    async def command(self, verb: str, *arguments: str, deadline_s: float = COMMAND_S) -> Reply:
        """Says it and waits for the reply. Raises HungUp, AgiError; ValueError for unspeakable arguments."""
        line = command_line(verb, *arguments)
        async with self._turn:
            try:
                async with asyncio.timeout(deadline_s):
                    answer = await self._exchange(line)
            except TimeoutError:
                # Whatever is answered from now on could be the answer to anything.
                self._out_of_step = True
                raise AgiError(f"{verb}: no answer in {deadline_s:.3g} s") from None
        return _understand(verb, answer)

    async def _exchange(self, line: bytes) -> str:
        if self._out_of_step:
            raise AgiError("an earlier command was never answered")
        if self._reply is not None:
            # Of a command that nobody waited out: Asterisk would not look at the next one before it is done.
            await asyncio.wait({self._reply})
        if self._gone:
            raise HungUp
        self._reply = asyncio.get_running_loop().create_future()
        self._writer.write(line)
        # wait() leaves the reply alone when the one who asked is cancelled: it still comes, and is not another's.
        await asyncio.wait({self._reply})
        answer = self._reply.result()
        self._reply = None
        if answer is None:
            raise HungUp
        return answer

    async def listen(self) -> bool:
        """Until the caller has gone: HANGUP, the end of the line, or what is no AGI. True when a command was
        being waited for, and so has been told."""
        while (line := await self._line()) is not None:
            if line.startswith("520-"):
                line = await self._skip_usage(line)
            if line is None or not _REPLY.match(line):
                break
            if self._reply is None or self._reply.done():
                log.warning("agi.unasked_reply", line=line[:80])
                break
            self._reply.set_result(line)
        self._gone = True
        told = self._reply is not None and not self._reply.done()
        if self._reply is not None and told:
            self._reply.set_result(None)
        return told

    async def _skip_usage(self, first: str) -> str | None:
        """A page on how the command is used follows; its last line begins with `520 `."""
        while (line := await self._line()) is not None and line != "HANGUP":
            if line.startswith("520 "):
                return first.replace("520-", "520 ", 1)
        return None

    async def _line(self) -> str | None:
        try:
            line = await self._reader.readline()
        except (ValueError, OSError):
            return None
        return line.decode("utf-8", "replace").rstrip("\r\n") if line.endswith(b"\n") else None


def _understand(verb: str, line: str) -> Reply:
    found = _REPLY.match(line)
    code, result, value, samples = found.groups() if found else ("", None, None, None)
    # 511: the channel is dead. -1: it died meanwhile, and Asterisk ends the session (res_agi.c, RESULT_FAILURE).
    if code == "511" or result == "-1":
        raise HungUp
    if code != "200" or result is None:
        raise AgiError(f"{verb}: {line}")
    return Reply(result, value, int(samples or 0))
