"""From what was recorded or synthesised to what a trunk carries: one level for all prompts, no silence around them."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Final

from engine.sounds.ffmpeg import RATE, Samples, UnusableAudio, decode, filtered, loudness_lufs, samples_of

LONGEST_S: Final = 180.0
# What the shipped prompts measure (-21.5 to -23 LUFS, the loudest sample at -3.5 dBFS), so that a site's own sound
# as loud; EBU R128's -23 LUFS for broadcast is the same to the ear.
LOUDNESS_LUFS: Final = -22.0
PEAK: Final = 10 ** (-3.5 / 20)
LEAD_S, TAIL_S = 0.1, 0.15

_SILENT = 10 ** (-50 / 20)
_BELOW_LOUDEST = 10 ** (-40 / 20)
_FRAME = RATE // 100
_FADE = RATE // 200
# EBU R128 weighs blocks of 0.4 s: a single word is measured as if it were said again and again.
_MEASURED_S = 3.0
# Speech touches full scale here and there; what was clipped stays there.
_MOST_AT_FULL_SCALE = 0.005


def telephone(source: Path | bytes) -> Samples:
    """An audio file of any format, or its content, as a prompt. Raises UnusableAudio when it is no audio, silent, too
    long or clipped: what cannot be mended here."""
    sound = decode(source, LONGEST_S)
    if max(map(abs, sound.samples), default=0.0) < _SILENT:
        raise UnusableAudio("has no sound in it, only silence; record it again, nearer to the microphone")
    at_full_scale = sum(abs(sample) >= 0.98 for sample in sound.samples)
    if sound.flat or at_full_scale > _MOST_AT_FULL_SCALE * len(sound.samples):
        raise UnusableAudio("is clipped: its loud parts are cut off and rattle; record it again with less gain")
    return _between_silences(_levelled(_speech(sound.samples)))


def _speech(samples: Samples) -> Samples:
    """Without the silence before and after it, by the level of 10 ms frames below the loudest of them."""
    frames = (samples[at : at + _FRAME] for at in range(0, len(samples), _FRAME))
    levels = [(sum(sample * sample for sample in frame) / _FRAME) ** 0.5 for frame in frames]
    least = max(levels) * _BELOW_LOUDEST
    loud = [number for number, level in enumerate(levels) if level > least]
    return samples[loud[0] * _FRAME : (loud[-1] + 1) * _FRAME]


def _levelled(speech: Samples) -> Samples:
    """At LOUDNESS_LUFS, without the rumble that a telephone does not carry; peaks are held under PEAK, not cut."""
    gain_db = LOUDNESS_LUFS - loudness_lufs(speech * max(1, round(_MEASURED_S * RATE / len(speech))))
    levelled: Samples = array("f")
    for frame in filtered(
        speech,
        ("highpass", "frequency=120"),
        ("volume", f"{gain_db:.2f}dB"),
        ("alimiter", f"limit={PEAK:.4f}:level=false:latency=true"),
        ("aformat", "sample_fmts=flt"),
    ):
        levelled.extend(samples_of(frame))
    return levelled


def _between_silences(speech: Samples) -> Samples:
    """Faded in and out, LEAD_S after its beginning and TAIL_S before its end: prompts follow one another."""
    for at in range(min(_FADE, len(speech) // 2)):
        speech[at] *= at / _FADE
        speech[-1 - at] *= at / _FADE
    silence: Samples = array("f", [0.0])
    return silence * int(LEAD_S * RATE) + speech + silence * int(TAIL_S * RATE)
