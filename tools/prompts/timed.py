"""Kokoro with its own clock in our hands: words said in a row, each as long as asked, and cut out of it.

A word by itself is what Kokoro says worst: it is hurried or sung. Inside a row it is said as in a number, but so fast
that its neighbours run into it. The network has a duration for every phoneme, rounded to frames, before it makes any
sound; here they come out, and go in again longer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from engine.sounds.tts.kokoro_net import Kokoro

FRAME_S = 0.025
# Where the network has rounded its durations; the model as it is published neither shows nor takes them.
_DURATIONS = "/encoder/Clip_output_0"


class TimedKokoro(Kokoro):
    """The voice of `Kokoro`, which can be told how long to take for each phoneme."""

    def __init__(self, cache: Path) -> None:
        super().__init__(cache)
        model = onnx.load(cache / "kokoro-v1.0.int8.onnx")
        self._clock = _session(model, shows=True)
        self._timed = _session(model, shows=False)

    def durations(self, phonemes: str, voice: str, speed: float) -> NDArray[np.float32]:
        """Frames for each phoneme; one entry before the first and one after the last is the edges' silence."""
        return np.ravel(self._clock.run([_DURATIONS], self._inputs(phonemes, voice, speed))[0])

    def speak_timed(self, phonemes: str, voice: str, durations: NDArray[np.float32]) -> NDArray[np.float64]:
        """The speech at 24 kHz, each phoneme as long as `durations` says."""
        inputs = self._inputs(phonemes, voice, 1.0)
        wanted = [entry.name for entry in self._timed.get_inputs()]
        inputs |= {"durations": durations.reshape(1, -1).astype(np.float32)}
        audio = self._timed.run(["audio"], {name: inputs[name] for name in wanted})[0]
        return np.asarray(audio, dtype=np.float64).ravel()

    def _inputs(self, phonemes: str, voice: str, speed: float) -> dict[str, Any]:
        tokens = [self._vocabulary[phoneme] for phoneme in phonemes]
        return {
            "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
            "style": self._voice(voice)[len(tokens) - 1].reshape(1, 256),
            "speed": np.array([speed], dtype=np.float32),
        }


def _session(model: Any, *, shows: bool) -> onnxruntime.InferenceSession:
    """The network with its durations as its only output, or as one more input."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    if shows:
        del changed.graph.output[:]  # the half of the network that makes sound is not run for it
        changed.graph.output.append(onnx.helper.make_empty_tensor_value_info(_DURATIONS))
    else:
        entry = onnx.helper.make_tensor_value_info("durations", onnx.TensorProto.FLOAT, [1, None])
        changed.graph.input.append(entry)
        for node in changed.graph.node:
            node.input[:] = ["durations" if name == _DURATIONS else name for name in node.input]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # sums in one order: the same recording every time
    return onnxruntime.InferenceSession(changed.SerializeToString(), options, providers=["CPUExecutionProvider"])
