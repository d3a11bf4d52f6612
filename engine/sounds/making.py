"""A site's own prompts: spoken by an engine, or taken from a recording, and kept in the codecs of its trunks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from engine.sounds import built
from engine.sounds.audio import telephone
from engine.sounds.ffmpeg import RATE, Samples, encode
from engine.sounds.prompt import Prompt, Source
from engine.sounds.recordings import PLAYED, is_name
from engine.sounds.tts import Voice


class CannotMake(Exception):  # noqa: N818 - said to the admin who asked for a prompt
    """A prompt that cannot be made; says why and what to do."""


def why_not(prompt: Prompt, voice: Voice, codecs: Sequence[str]) -> str | None:
    """Why `voice` should not speak `prompt`, None when it should: it is missing, or was built from other words, in
    another voice or not in all `codecs`. A recording is somebody's: it is never replaced."""
    match prompt.source:
        case Source.RECORDED:
            return "is your own recording; remove it to have its words spoken instead"
        case Source.SHIPPED:
            return "comes with Hotline; write words of your own for it into sounds/prompts.yaml to have them spoken"
        case Source.BUILT if prompt.voice == voice.said_by(prompt.language) and prompt.codecs.issuperset(codecs):
            return "is as it should be"
    if not prompt.text:
        return f"has no words in {prompt.language}; write them into sounds/prompts.yaml, or import a recording"
    return None


async def build(sounds: Path, prompt: Prompt, voice: Voice, codecs: Sequence[str]) -> float:
    """Has the words of `prompt` spoken, and gives the seconds that they take. `sounds`: the site's folder of that
    name. Raises CannotSpeak, UnusableAudio when the engine gave no speech, OSError when it cannot be written."""
    said_by = voice.said_by(prompt.language)
    samples = await asyncio.to_thread(telephone, await voice.speak(prompt.text, prompt.language))
    written = _write(sounds, prompt.name, prompt.language, samples, codecs)
    mark = built.Built(voice=said_by, said=built.said(prompt.text, said_by), files=written)
    built.write(sounds, built.read(sounds) | {(prompt.language, prompt.name): mark})
    return len(samples) / RATE


def take(sounds: Path, file: Path, name: str, language: str, codecs: Sequence[str]) -> float:
    """Takes a recording of any format as a prompt of the site, in place of what it had under this name, and gives its
    seconds. Raises CannotMake for a name that none can have, UnusableAudio, OSError."""
    if not is_name(name):
        raise CannotMake(
            f"`{name}` is no name for a prompt: letters, digits, `-`, `_` and `.` only; give one with --as"
        )
    if file.resolve().is_relative_to(sounds.resolve()):
        raise CannotMake("lies in sounds/ itself, where only what callers hear belongs; move the original elsewhere")
    samples = telephone(file)
    marks = built.read(sounds)
    _write(sounds, name, language, samples, codecs)
    if marks.pop((language, name), None):
        built.write(sounds, marks)
    return len(samples) / RATE


def _write(sounds: Path, name: str, language: str, samples: Samples, codecs: Sequence[str]) -> dict[str, str]:
    """The digest of each file, by codec. No other file of the name is left: Asterisk would choose among them."""
    folder = sounds / language
    folder.mkdir(parents=True, exist_ok=True)
    contents = {codec: encode(samples, codec) for codec in codecs}
    for codec, content in contents.items():
        fresh = folder / f".{name}.{codec}.new"
        fresh.write_bytes(content)
        fresh.rename(folder / f"{name}.{codec}")
    for file in folder.iterdir():
        if file.stem == name and file.suffix in PLAYED and file.suffix[1:] not in contents:
            file.unlink()
    return {codec: built.digest(content) for codec, content in contents.items()}
