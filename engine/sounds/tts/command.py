"""Any program that reads a text and writes an audio file.

tts:
  zh-CN: {engine: command, command: [piper, --model, zh.onnx, --output_file, "{file}"]}

The text goes to its standard input, as UTF-8; the sound comes from its standard output, or from the file that it was
told to write in place of `{file}`. There is no shell in between.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal

from pydantic import Field

from engine.config.units import Seconds
from engine.sounds.tts.voice import MOST_BYTES, CannotSpeak, Spoken

FILE = "{file}"


class Command(Spoken):
    """A program of the admin's choice."""

    engine: Literal["command"] = "command"
    command: list[str] = Field(min_length=1)
    deadline: Seconds = 60.0

    async def speak(self, text: str, language: str) -> bytes:
        """What the program makes of `text`. Raises CannotSpeak."""
        if not any(FILE in argument for argument in self.command):
            return await spoken_by(self.command, text, self.deadline)
        with tempfile.TemporaryDirectory(prefix="hotline-") as folder:
            file = Path(folder) / "spoken.wav"
            await spoken_by([argument.replace(FILE, str(file)) for argument in self.command], text, self.deadline)
            if not file.is_file():
                raise CannotSpeak(f"`{shlex.join(self.command)}` ended well and wrote no file in place of {FILE}")
            if file.stat().st_size > MOST_BYTES:
                raise CannotSpeak(f"`{self.command[0]}` wrote more than {MOST_BYTES >> 20} MB for one prompt")
            return file.read_bytes()

    def said_by(self, language: str) -> str:
        """The command."""
        return shlex.join(self.command)


async def spoken_by(command: Sequence[str], text: str, deadline_s: float) -> bytes:
    """Standard output of `command` with `text` on its standard input. Raises CannotSpeak when it fails, is late or
    writes without end; it and its children are killed then."""
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as said:
        told.write(text.encode())
        told.seek(0)
        code, sound = await _run(command, told, said, deadline_s)
        if code:
            said.seek(0)
            raise CannotSpeak(f"`{shlex.join(command)}` failed with exit code {code}: {_last_line(said.read(100_000))}")
        return sound


def _last_line(said: bytes) -> str:
    """Without what could play tricks on a terminal."""
    last = said.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
    return "".join(filter(str.isprintable, last[0][:300]))


async def _run(command: Sequence[str], told: IO[bytes], said: IO[bytes], deadline_s: float) -> tuple[int, bytes]:
    try:
        program = await asyncio.create_subprocess_exec(
            *command, stdin=told, stdout=asyncio.subprocess.PIPE, stderr=said, start_new_session=True
        )
    except OSError as error:
        raise CannotSpeak(f"`{command[0]}` cannot be run: {error.strerror}; install it, or name its path") from error
    assert program.stdout  # noqa: S101 - it is a pipe
    sound = bytearray()
    try:
        async with asyncio.timeout(deadline_s):
            while chunk := await program.stdout.read(1 << 16):
                sound += chunk
                if len(sound) > MOST_BYTES:
                    raise CannotSpeak(f"`{command[0]}` wrote more than {MOST_BYTES >> 20} MB for one prompt")
            return await program.wait(), bytes(sound)
    except TimeoutError:
        raise CannotSpeak(f"`{command[0]}` took longer than {deadline_s:g} s; raise `deadline`") from None
    finally:
        if program.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            # asyncio sees a program's end only when all that it wrote has been read; a daemon of it may hold the pipe.
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    while await program.stdout.read(1 << 16):
                        pass
                    await program.wait()
