"""From a recording of any kind to a prompt: one loudness, no silence around it, nothing that cannot be mended."""

from __future__ import annotations

import io
import math
import random
import wave
from array import array
from collections.abc import Callable
from functools import cache
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sounds import Sounds
from engine.sounds.audio import LEAD_S, LONGEST_S, LOUDNESS_LUFS, PEAK, TAIL_S, telephone
from engine.sounds.ffmpeg import CODECS, RATE, Samples, UnusableAudio, decode, encode, loudness_lufs

Wave = Callable[[float], float]


@cache
def voice(t: float) -> float:
    """Like speech to a meter: a buzz that swells and dies away four times a second."""
    buzz = sum(math.sin(2 * math.pi * 150 * k * t + k * k) / k for k in range(1, 12))
    return 0.25 * buzz * math.sin(math.pi * ((4 * t) % 1))


def silence(t: float) -> float:
    return 0.0


def wav(sound: Wave, *, seconds: float = 2.0, rate: int = 44_100, channels: int = 1, gain: float = 1.0) -> bytes:
    """A WAV file; what is louder than full scale is cut off, as a sound card does."""
    pcm = array("h")
    for n in range(int(seconds * rate)):
        value = round(32767 * max(-1.0, min(1.0, gain * sound(n / rate))))
        pcm.extend([value] * channels)
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(pcm.tobytes())
    return written.getvalue()


def peak(samples: Samples) -> float:
    return max(map(abs, samples))


def power_db(samples: Samples, hz: float) -> float:
    """Of one frequency, in dB re full scale (Goertzel)."""
    coefficient = 2 * math.cos(2 * math.pi * hz / RATE)
    last = before = 0.0
    for sample in samples:
        last, before = sample + coefficient * last - before, last
    power = (last * last + before * before - coefficient * last * before) * 4 / len(samples) ** 2
    return 10 * math.log10(max(power, 1e-12))


def speech_of(prompt: Samples) -> Samples:
    return prompt[int(LEAD_S * RATE) : len(prompt) - int(TAIL_S * RATE)]


@pytest.mark.parametrize("gain", [0.02, 0.3, 1.0])
@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (44_100, 2), (48_000, 1)])
def test_however_loud_it_was_recorded_a_prompt_has_the_loudness_of_all_prompts(
    rate: int, channels: int, gain: float
) -> None:
    prompt = telephone(wav(voice, rate=rate, channels=channels, gain=gain))
    assert loudness_lufs(speech_of(prompt)) == pytest.approx(LOUDNESS_LUFS, abs=1.0)
    assert peak(prompt) <= PEAK * 1.02


def test_a_prompt_of_a_site_sounds_as_loud_as_the_shipped_ones() -> None:
    shipped = decode(Path(Sounds().find("menu-main", "zh-CN") + ".alaw"), LONGEST_S).samples
    assert loudness_lufs(shipped) == pytest.approx(LOUDNESS_LUFS, abs=1.5)


def test_a_single_short_word_is_as_loud_as_a_sentence() -> None:
    word = telephone(wav(voice, seconds=0.25))
    sentence = telephone(wav(voice, seconds=4.0))
    assert 20 * math.log10(peak(word) / peak(sentence)) == pytest.approx(0, abs=2)


def test_silence_around_the_words_is_cut_and_pauses_between_them_are_not() -> None:
    def said(t: float) -> float:
        return voice(t) if 1.0 <= t < 2.0 or 3.0 <= t < 4.0 else 0.0005 * math.sin(900 * t)

    prompt = telephone(wav(said, seconds=6.0))
    assert len(prompt) / RATE == pytest.approx(LEAD_S + 3.0 + TAIL_S, abs=0.06)
    assert peak(prompt[: int(0.9 * LEAD_S * RATE)]) == 0
    assert peak(prompt[-int(0.9 * TAIL_S * RATE) :]) == 0


def test_the_rumble_of_a_desk_is_taken_out() -> None:
    recording = wav(lambda t: voice(t) + 0.4 * math.sin(2 * math.pi * 30 * t), gain=0.6)
    before, after = decode(recording, LONGEST_S).samples, telephone(recording)
    rumble = (power_db(samples, 30) - power_db(samples, 300) for samples in (before, after))
    assert next(rumble) - next(rumble) > 20


@pytest.mark.parametrize("codec", ["alaw", "ulaw", "wav"])
def test_what_lies_above_the_telephones_band_does_not_come_back_as_another_tone(codec: str, tmp_path: Path) -> None:
    """6 kHz would be heard as 2 kHz in a file of 8000 samples a second that only left every second one out."""
    tone = array("f", (0.5 * math.sin(2 * math.pi * 6000 * n / RATE) for n in range(RATE)))
    file = tmp_path / f"tone.{codec}"
    file.write_bytes(encode(tone, codec))
    heard = decode(file, LONGEST_S).samples
    assert power_db(heard[RATE // 4 : -RATE // 4], 2000) < -60


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_carries_the_prompt_and_asterisk_reads_its_length(codec: str, tmp_path: Path) -> None:
    prompt = telephone(wav(voice))
    file = tmp_path / "sounds/en" / f"hello.{codec}"
    file.parent.mkdir(parents=True)
    file.write_bytes(encode(prompt, codec))
    assert Sounds(tmp_path).duration_s("hello", "en") == pytest.approx(len(prompt) / RATE, abs=0.01)
    heard = decode(file, LONGEST_S).samples
    assert loudness_lufs(heard) == pytest.approx(loudness_lufs(prompt), abs=1)


def test_the_same_recording_is_the_same_file_each_time() -> None:
    recording = wav(voice)
    assert encode(telephone(recording), "wav") == encode(telephone(recording), "wav")


@pytest.mark.parametrize("muxer", ["mp3", "ogg", "flac", "mp4"])
def test_what_telephones_and_studios_send_is_read(muxer: str, tmp_path: Path) -> None:
    encoders = {"mp3": "libmp3lame", "ogg": "libopus", "flac": "flac", "mp4": "aac"}
    file = tmp_path / f"studio.{muxer}"
    with av.open(file, "w") as out, av.open(io.BytesIO(wav(voice, rate=48_000, gain=0.5)), "r") as recorded:
        stream = out.add_stream(encoders[muxer], rate=48_000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        fifo = av.AudioFifo()
        for frame in recorded.decode(audio=0):
            frame.pts = None
            fifo.write(frame)
        while chunk := fifo.read(960 if muxer == "ogg" else 1024, partial=True):
            out.mux(stream.encode(chunk))
        out.mux(stream.encode(None))
    prompt = telephone(file)
    assert len(prompt) / RATE == pytest.approx(2.0 + LEAD_S + TAIL_S, abs=0.1)
    assert loudness_lufs(speech_of(prompt)) == pytest.approx(LOUDNESS_LUFS, abs=1.0)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "cannot be read as audio"),
        (b"Dear studio,\nplease find attached", "cannot be read as audio"),
        (wav(voice)[:60], "no sound"),
        (wav(silence), "only silence"),
        (wav(voice, gain=0.001), "only silence"),
        (wav(voice, gain=6.0), "clipped"),
    ],
    ids=["empty", "text", "no-samples", "silence", "all-but-silence", "clipped"],
)
def test_a_file_that_cannot_be_a_prompt_is_refused_with_the_reason(content: bytes, complaint: str) -> None:
    with pytest.raises(UnusableAudio, match=complaint):
        telephone(content)


def test_a_recording_that_was_clipped_and_then_turned_down_is_still_clipped() -> None:
    def rattling(t: float) -> float:
        return 0.4 * max(-1.0, min(1.0, 6 * voice(t)))

    with pytest.raises(UnusableAudio, match="less gain"):
        telephone(wav(rattling))


def test_a_recording_at_full_scale_is_not_called_clipped() -> None:
    loudest = max(abs(voice(n / 44_100)) for n in range(88_200))
    assert telephone(wav(voice, gain=1 / loudest))


def test_an_endless_recording_is_refused_without_being_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "endless.alaw"
    with file.open("wb") as alaw:
        alaw.truncate(2_000_000_000)
    with pytest.raises(UnusableAudio, match="longer than 180 s"):
        telephone(file)


def test_a_picture_has_no_audio_in_it(tmp_path: Path) -> None:
    file = tmp_path / "face.png"
    with av.open(file, "w", format="image2") as out:
        stream = out.add_stream("png", rate=1)
        assert isinstance(stream, av.VideoStream)
        stream.width = stream.height = 16
        stream.pix_fmt = "rgb24"
        out.mux(stream.encode(av.VideoFrame(16, 16, "rgb24")))
    with pytest.raises(UnusableAudio, match="no audio in it"):
        telephone(file)


@settings(max_examples=60)
@given(st.binary(max_size=400), st.sampled_from([b"", b"RIFF\x24\x00\x00\x00WAVEfmt ", b"OggS", b"ID3\x04", b"fLaC"]))
def test_whatever_a_file_holds_it_is_a_prompt_or_refused(rest: bytes, magic: bytes) -> None:
    try:
        prompt = telephone(magic + rest)
    except UnusableAudio as error:
        assert str(error)
    else:
        assert peak(prompt) <= 1.0


@settings(max_examples=25)
@given(st.integers(), st.floats(0.02, 3.0), st.floats(0.01, 0.5))
def test_any_noise_becomes_a_prompt_under_the_peak(seed: int, seconds: float, level: float) -> None:
    dice = random.Random(seed)  # noqa: S311 - noise
    noise = [level * dice.uniform(-1, 1) for _ in range(8000)]
    prompt = telephone(wav(lambda t: noise[int(t * 8000) % 8000], seconds=seconds, rate=8000))
    assert peak(prompt) <= PEAK * 1.02
    assert len(prompt) / RATE <= seconds + LEAD_S + TAIL_S + 0.02
