"""What the phones' ears take for a tone, for sound and for silence."""

import math
import random

import pytest

from phones.tones import is_sound, is_tone, level_dbfs, samples_of, share_of_tone

BLOCK = 1600  # 200 ms at 8 kHz, what a phone listens to at a time


def sine(hz: float, *, peak: float = 8000, samples: int = BLOCK, phase: float = 0.0) -> list[int]:
    return [round(peak * math.sin(phase + 2 * math.pi * hz * n / 8000)) for n in range(samples)]


def noise(peak: int, *, seed: int = 1) -> list[int]:
    source = random.Random(seed)  # noqa: S311 - a repeatable hiss, not a secret
    return [source.randint(-peak, peak) for _ in range(BLOCK)]


def mixed(*parts: list[int]) -> list[int]:
    return [sum(values) for values in zip(*parts, strict=True)]


@pytest.mark.parametrize("hz", [350, 440, 880, 1000, 2600])
@pytest.mark.parametrize("phase", [0.0, 1.1, 2.9])
def test_a_sine_is_heard_as_its_own_frequency(hz: int, phase: float) -> None:
    assert is_tone(sine(hz, phase=phase), hz)
    assert share_of_tone(sine(hz, phase=phase), hz) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(("played", "asked"), [(440, 880), (880, 440), (1000, 1050), (440, 460)])
def test_another_frequency_is_not_taken_for_it(played: int, asked: int) -> None:
    assert not is_tone(sine(played), asked)


def test_silence_is_neither_sound_nor_tone() -> None:
    silence = [0] * BLOCK
    assert level_dbfs(silence) == -math.inf
    assert not is_sound(silence)
    assert not is_tone(silence, 440)
    assert not is_tone([], 440)


def test_the_idle_pattern_of_a_law_is_silence() -> None:
    assert not is_sound([8 if n % 2 else -8 for n in range(BLOCK)])


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_sound_but_no_tone(seed: int) -> None:
    hiss = noise(9000, seed=seed)
    assert is_sound(hiss)
    assert not any(is_tone(hiss, hz) for hz in range(200, 3400, 40))


def test_a_tone_is_heard_through_noise_half_as_strong_but_not_under_stronger_noise() -> None:
    assert is_tone(mixed(sine(880), noise(4000)), 880)
    assert not is_tone(mixed(sine(880, peak=2000), noise(9000)), 880)


def test_the_louder_of_two_tones_is_the_one_that_dominates() -> None:
    both = mixed(sine(440, peak=9000), sine(880, peak=3000))
    assert is_tone(both, 440)
    assert not is_tone(both, 880)


def test_a_tone_too_faint_to_hear_does_not_count() -> None:
    assert not is_tone(sine(880, peak=60), 880)


def test_levels_are_relative_to_full_scale() -> None:
    assert level_dbfs([-32768] * 8) == pytest.approx(0.0)
    assert level_dbfs(sine(1000, peak=3276.8)) == pytest.approx(-23.0, abs=0.1)


def test_pcm_bytes_are_little_endian_sixteen_bit() -> None:
    assert list(samples_of(b"\x01\x00\xff\xff\x00\x80")) == [1, -1, -32768]
    with pytest.raises(ValueError, match="multiple"):
        samples_of(b"\x01")
