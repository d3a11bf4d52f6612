"""The menu prompt and the hold music of a benchmarked call, in A-law, so that nobody transcodes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.children import spawn
from bench.system import BenchError

_SHIPPED = Path(__file__).resolve().parent.parent / "engine" / "sounds"
_MENU = "zh-CN/menu-main"
_HOLD = "moh/hold.alaw"


@dataclass(frozen=True, slots=True)
class Sounds:
    menu: Path
    """The prompt as Asterisk wants it: without the extension."""
    music: Path
    """A folder with the one piece of hold music."""


async def prepare(folder: Path) -> Sounds:
    """The sounds the engine ships, else tones of the same length made by sox; raises `BenchError`."""
    music = folder / "moh"
    music.mkdir(parents=True)
    menu = _SHIPPED / f"{_MENU}.alaw"
    if not menu.exists():
        menu = await _tone(folder / "menu.alaw", seconds=4)
    hold = _SHIPPED / _HOLD
    if hold.exists():
        shutil.copy(hold, music / hold.name)
    else:
        await _tone(music / "hold.alaw", seconds=30)
    return Sounds(menu.with_suffix(""), music)


async def _tone(target: Path, *, seconds: int) -> Path:
    sox: list[str | Path] = [
        "sox",
        "-n",
        "-r",
        "8000",
        "-c",
        "1",
        "-t",
        "al",
        target,
        "synth",
        str(seconds),
        "sine",
        "440",
        "vol",
        "0.2",
    ]
    child = await spawn("sox", sox, log=target.with_suffix(".log"))
    if await child.wait(timeout=30) != 0:
        raise BenchError(f"sox could not make {target.name}. {child.last_words()}")
    return target
