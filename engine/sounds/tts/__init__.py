"""Who speaks the texts that nobody has recorded: one file an engine, each a small model that stands under `tts` in
dialplan/hotline.yaml."""

from __future__ import annotations

import shlex
from typing import Annotated

from pydantic import Discriminator

from engine.sounds.tts.command import Command
from engine.sounds.tts.espeak import Espeak
from engine.sounds.tts.http import Http
from engine.sounds.tts.kokoro import Kokoro
from engine.sounds.tts.voice import CannotSpeak

_THERE_ARE = "there are kokoro, espeak-ng, command:PROGRAM and http://HOST/PATH"
Voice = Annotated[
    Kokoro | Espeak | Command | Http,
    Discriminator(
        "engine",
        custom_error_type="unknown_engine",
        custom_error_message="needs `engine`: kokoro, espeak-ng, command or http",
    ),
]

__all__ = ["CannotSpeak", "Voice", "named"]


def named(engine: str) -> Voice:
    """The engine that a command line names: `kokoro`, `espeak-ng`, `command:PROGRAM ARGUMENTS` or `http://…`.
    Raises CannotSpeak for anything else."""
    kind, _, rest = engine.partition(":")
    try:
        if kind == "command":
            return Command(engine="command", command=shlex.split(rest))
        if kind in ("http", "https"):
            return Http(engine="http", url=engine)
    except ValueError as error:  # pydantic's too
        raise CannotSpeak(f"`{engine}` is no engine that can be used; {_THERE_ARE}") from error
    for plain in (Kokoro(), Espeak()):
        if engine == plain.engine:
            return plain
    raise CannotSpeak(
        f"there is no engine `{engine}`; there are kokoro, espeak-ng, command:PROGRAM and http://HOST/PATH"
    )
