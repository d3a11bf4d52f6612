"""The recordings in one folder, as Asterisk's file formats would read them."""

from __future__ import annotations

import re
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Asterisk reads these headerless, 8 kHz (G.722: 16 kHz at 64 kbit/s); format_pcm.c, format_sln.c.
_BYTES_A_SECOND = {".alaw": 8000, ".ulaw": 8000, ".g722": 8000, ".sln": 16000}
PLAYED = {".wav", *_BYTES_A_SECOND}
_NOTES = {".md", ".txt", ".yaml"}
# A comma or & would split one prompt into two where ARI or the dialplan takes a list of them.
_NAME = re.compile(r"[\w-][\w.-]*")


class UnusableSounds(Exception):  # noqa: N818 - said to the admin, like UnknownPrompt
    """A sounds folder or its words cannot be used; `faults` names every file and what to do about it."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


@dataclass(frozen=True, slots=True)
class Recording:
    stem: str
    """Absolute path without extension: Asterisk chooses the codec that costs the least on the channel."""
    duration_s: float
    files: tuple[Path, ...]
    """One a codec."""


def is_name(name: str) -> bool:
    """Whether a prompt may be called so."""
    return _NAME.fullmatch(name) is not None


def scan(folder: Path) -> dict[str, Recording]:
    """Every recording in `folder` by prompt name; none when there is no such folder.

    Raises UnusableSounds for files that Asterisk would not play: at load, not as silence in a caller's ear.
    """
    found: dict[str, Recording] = {}
    faults: list[str] = []
    for path in _files(folder):
        try:
            duration_s = _duration_s(path)
        except ValueError as error:
            faults.append(f"{path}: {error}")
        else:
            others = found[path.stem].files if path.stem in found else ()
            found[path.stem] = Recording(str(path.with_suffix("").absolute()), duration_s, (*others, path))
    if faults:
        raise UnusableSounds(faults)
    return found


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.name.startswith(".") and path.suffix not in _NOTES:
                yield path


def _duration_s(path: Path) -> float:
    if not is_name(path.stem):
        raise ValueError("a prompt's name has letters, digits, `-`, `_` and `.` only; rename the file")
    if path.suffix == ".wav":
        duration = _wav_duration_s(path)
    elif rate := _BYTES_A_SECOND.get(path.suffix):
        duration = path.stat().st_size / rate
    else:
        raise ValueError(f"Asterisk plays .alaw, .ulaw, .wav, .sln or .g722 here, not `{path.suffix}`; {_CONVERT}")
    if not duration:
        raise ValueError("has no sound in it")
    return duration


_CONVERT = "take it from here and `hotline prompts import` it"


def _wav_duration_s(path: Path) -> float:
    try:
        with wave.open(str(path)) as file:
            form = (file.getframerate(), file.getnchannels(), file.getsampwidth())
            frames: int = file.getnframes()
    except (wave.Error, EOFError) as error:
        raise ValueError(f"is not a PCM WAV file ({error}); {_CONVERT}") from error
    if form != (8000, 1, 2):
        rate, channels, width = form
        described = f"{rate} Hz, {channels} channel(s), {8 * width} bit"
        raise ValueError(f"is {described}; Asterisk plays 8000 Hz, 1 channel, 16 bit; {_CONVERT}")
    return frames / 8000
