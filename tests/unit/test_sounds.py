"""Prompts: what is shipped can be heard, what a site records wins, what is missing is found at load."""

from __future__ import annotations

import math
import wave
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

import engine.sounds
from engine.sounds import LANGUAGES, Sounds, UnknownPrompt, UnusableSounds
from engine.speech import vocabulary

SHIPPED = Path(engine.sounds.__file__).parent
MANIFEST = yaml.safe_load((SHIPPED / "manifest.yaml").read_text(encoding="utf-8"))["prompts"]


def prompts(language: str) -> list[str]:
    """All that the manifest has in a language: silence and tones are in each."""
    return [name for name, prompt in MANIFEST.items() if language in prompt or not {"zh-CN", "en"} & prompt.keys()]


def spoken(language: str, *, words: bool) -> list[str]:
    """Words are joined to numbers and dates, as are the points behind one; all others stand alone."""
    joined = vocabulary(language) | {"points"}
    return [name for name, text in MANIFEST.items() if language in text and (name in joined) is words]


def linear_from_alaw(code: int) -> int:
    """ITU-T G.711 table 1a."""
    code ^= 0x55
    segment, step = (code >> 4) & 7, code & 15
    magnitude = (step << 4) + 8 if segment == 0 else ((step << 4) + 0x108) << (segment - 1)
    return magnitude if code & 0x80 else -magnitude


def linear_from_ulaw(code: int) -> int:
    """ITU-T G.711 table 2a."""
    code = ~code & 0xFF
    magnitude = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return -magnitude if code & 0x80 else magnitude


ALAW = [linear_from_alaw(code) for code in range(256)]
ULAW = [linear_from_ulaw(code) for code in range(256)]


def decibels(value: float) -> float:
    return 20 * math.log10(max(value, 1e-9) / 32768)


def rms_db(samples: list[int]) -> float:
    return decibels(math.sqrt(sum(sample * sample for sample in samples) / len(samples)))


def peak_db(samples: list[int]) -> float:
    return decibels(max(abs(sample) for sample in samples))


def record(path: Path, *, seconds: float = 1.0, rate: int = 8000, channels: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setframerate(rate)
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.writeframes(b"\x10\x00" * int(seconds * rate) * channels)


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def alaw(name: str, language: str) -> list[int]:
    return [ALAW[code] for code in (SHIPPED / language / f"{name}.alaw").read_bytes()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_shipped_prompt_is_loud_enough_unclipped_and_of_a_sensible_length(language: str) -> None:
    # A word of quiet consonants (six) is less loud on the whole than a sentence.
    for words, shortest, longest, quietest in ((False, 0.3, 20, -26), (True, 0.2, 1.6, -28)):
        for name in spoken(language, words=words):
            samples = alaw(name, language)
            assert shortest <= len(samples) / 8000 <= longest, name
            assert quietest < rms_db(samples) < -17, name
            assert -12 < peak_db(samples) < -3, name
            assert Sounds().text(name, language), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_codecs_of_every_shipped_prompt_carry_the_same_sound(language: str) -> None:
    for name in prompts(language):
        ulaw = [ULAW[code] for code in (SHIPPED / language / f"{name}.ulaw").read_bytes()]
        # Two quantisers of one signal differ by at most half a step each: a 16th of the sample, and 16 near zero.
        same = all(abs(a - u) <= max(16, abs(u) / 16) for a, u in zip(alaw(name, language), ulaw, strict=True))
        assert same, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_shipped_sentence_starts_and_ends_promptly(language: str) -> None:
    """A caller waits for the words, and the next prompt waits for the last one."""
    for name in spoken(language, words=False):
        before, after = silence_around(alaw(name, language))
        assert 0.05 < before < 0.25, name
        assert 0.1 < after < 0.4, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_a_number_join_without_a_gap(language: str) -> None:
    for name in spoken(language, words=True):
        before, after = silence_around(alaw(name, language), above=30)  # the th of eighth is next to nothing
        assert before + after < 0.2, name


def silence_around(samples: list[int], above: int = 300) -> tuple[float, float]:
    """Seconds before the first sound and after the last."""
    loud = [i for i, sample in enumerate(samples) if abs(sample) > above]
    return loud[0] / 8000, (len(samples) - loud[-1]) / 8000


def test_the_beep_after_which_a_message_is_left_is_a_tone_of_a_second_at_most() -> None:
    for language in LANGUAGES:
        samples = alaw("beep", language)
        assert 0.3 < len(samples) / 8000 < 1
        assert -15 < peak_db(samples) < -9
        before, after = silence_around(samples)
        sounding = samples[round(before * 8000) : len(samples) - round(after * 8000)]
        crossings = sum(1 for a, b in pairwise(sounding) if (a < 0) != (b < 0))
        assert crossings * 8000 / len(sounding) / 2 == pytest.approx(MANIFEST["beep"]["tone_hz"], rel=0.02)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_silent_prompt_is_silent_for_a_second_and_has_no_words(language: str) -> None:
    sounds = Sounds()
    assert sounds.duration_s("silence-1", language) == 1.0
    assert sounds.text("silence-1", language) == ""
    assert max(abs(ALAW[code]) for code in Path(sounds.find("silence-1", language) + ".alaw").read_bytes()) <= 8


@pytest.mark.parametrize("codec", ["alaw", "ulaw"])
def test_the_hold_music_is_long_quiet_and_joins_its_own_beginning(codec: str) -> None:
    table = ALAW if codec == "alaw" else ULAW
    samples = [table[code] for code in (SHIPPED / "moh" / f"hold.{codec}").read_bytes()]
    assert 30 <= len(samples) / 8000 <= 60
    assert -27 < rms_db(samples) < -21
    largest_step = max(abs(b - a) for a, b in pairwise(samples))
    assert abs(samples[0] - samples[-1]) <= largest_step / 2
    seam = samples[-400:] + samples[:400]
    assert rms_db(seam) > rms_db(samples) - 12, "the loop falls silent where it begins again"


def test_the_shipped_sounds_are_small_enough_for_a_repository() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*.?law")) < 15_000_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_in_the_manifest_is_found_without_its_extension(language: str) -> None:
    sounds = Sounds()
    assert sounds.names(language) == sorted(prompts(language))
    for name in prompts(language):
        stem = Path(sounds.find(name, language))
        assert stem.is_absolute()
        assert stem.name == name
        assert stem.with_name(f"{name}.alaw").is_file()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_queue_position_is_one_sentence_and_past_ten_a_vaguer_one(language: str) -> None:
    sounds = Sounds()
    assert sounds.number(1, language) == ["position-1"]
    assert sounds.number(10, language) == ["position-10"]
    assert sounds.number(11, language) == sounds.number(400, language) == ["position-more-than-10"]
    assert sounds.text("position-3", language) in (
        "您排在第三位，请稍候。",
        "You are number three in the queue.",
    )
    with pytest.raises(ValueError, match="start at 1"):
        sounds.number(0, language)


def test_a_site_that_records_the_eleventh_position_has_it_spoken(tmp_path: Path) -> None:
    record(tmp_path / "sounds/en/position-11.wav")
    sounds = Sounds(tmp_path)
    assert sounds.number(11, "en") == ["position-11"]
    assert sounds.number(11, "zh-CN") == ["position-more-than-10"]


@pytest.mark.parametrize(
    ("file", "size", "seconds"),
    [
        ("welcome.alaw", 4000, 0.5),
        ("welcome.ulaw", 4000, 0.5),
        ("welcome.g722", 4000, 0.5),
        ("welcome.sln", 8000, 0.5),
    ],
)
def test_a_site_recording_wins_in_its_language_only(tmp_path: Path, file: str, size: int, seconds: float) -> None:
    write(tmp_path / "sounds/en" / file, b"\xd5" * size)
    sounds = Sounds(tmp_path)
    assert sounds.find("welcome", "en") == str(tmp_path / "sounds/en/welcome")
    assert sounds.duration_s("welcome", "en") == seconds
    assert sounds.find("welcome", "zh-CN") == Sounds().find("welcome", "zh-CN")


def test_a_site_recording_as_wav_wins_and_its_length_is_read_from_it(tmp_path: Path) -> None:
    record(tmp_path / "sounds/zh-CN/menu-main.wav", seconds=2.5)
    sounds = Sounds(tmp_path)
    assert sounds.find("menu-main", "zh-CN") == str(tmp_path / "sounds/zh-CN/menu-main")
    assert sounds.duration_s("menu-main", "zh-CN") == 2.5


def test_a_site_may_add_prompts_and_give_the_words_of_those_it_likes(tmp_path: Path) -> None:
    record(tmp_path / "sounds/zh-CN/spring-sale.wav")
    record(tmp_path / "sounds/zh-CN/欢迎.wav")
    write(tmp_path / "sounds/prompts.yaml", "prompts: {spring-sale: {zh-CN: 春季促销开始了。}}".encode())
    sounds = Sounds(tmp_path)
    assert sounds.text("spring-sale", "zh-CN") == "春季促销开始了。"
    assert sounds.text("欢迎", "zh-CN") == ""
    with pytest.raises(UnknownPrompt):
        sounds.find("spring-sale", "en")


def test_the_shipped_words_are_not_claimed_for_a_site_recording(tmp_path: Path) -> None:
    record(tmp_path / "sounds/en/welcome.wav")
    assert Sounds(tmp_path).text("welcome", "en") == ""
    write(tmp_path / "sounds/prompts.yaml", b"prompts: {welcome: {en: Welcome to Acme.}}")
    assert Sounds(tmp_path).text("welcome", "en") == "Welcome to Acme."


def test_a_site_without_sounds_has_the_shipped_ones(tmp_path: Path) -> None:
    assert Sounds(tmp_path).names("en") == Sounds().names("en")


def test_a_recording_that_appears_later_waits_for_the_next_load(tmp_path: Path) -> None:
    sounds = Sounds(tmp_path)
    record(tmp_path / "sounds/en/welcome.wav")
    assert sounds.find("welcome", "en") == Sounds().find("welcome", "en")
    assert Sounds(tmp_path).find("welcome", "en") != sounds.find("welcome", "en")


def test_an_unknown_prompt_names_the_nearest_ones_and_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UnknownPrompt) as caught:
        Sounds(tmp_path).find("wellcome", "en")
    assert (caught.value.name, caught.value.language) == ("wellcome", "en")
    assert caught.value.nearest[0] == "welcome"
    assert caught.value.looked == [tmp_path / "sounds/en", SHIPPED / "en"]
    for part in ("`wellcome`", "`welcome`", " en", str(tmp_path / "sounds/en"), str(SHIPPED / "en")):
        assert part in str(caught.value)


@pytest.mark.parametrize("ask", [Sounds.find, Sounds.text, Sounds.duration_s])
def test_every_question_about_an_unknown_prompt_or_language_is_refused(
    ask: Callable[[Sounds, str, str], object],
) -> None:
    for name, language in (("nothing-like-it", "en"), ("welcome", "fr")):
        with pytest.raises(UnknownPrompt):
            ask(Sounds(), name, language)


def test_files_that_asterisk_cannot_play_are_all_named_with_the_remedy(tmp_path: Path) -> None:
    record(tmp_path / "sounds/en/too-fast.wav", rate=44100)
    record(tmp_path / "sounds/en/stereo.wav", channels=2)
    record(tmp_path / "sounds/en/a,b.wav")
    write(tmp_path / "sounds/en/welcome.mp3", b"ID3")
    write(tmp_path / "sounds/en/broken.wav", b"not a recording")
    write(tmp_path / "sounds/en/empty.alaw", b"")
    write(tmp_path / "sounds/zh_CN/welcome.alaw", b"\xd5")
    write(tmp_path / "sounds/en/README.md", b"notes are welcome")
    write(tmp_path / "sounds/en/.DS_Store", b"so are these")
    with pytest.raises(UnusableSounds) as caught:
        Sounds(tmp_path)
    said = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 7
    assert "44100 Hz" in said
    assert "`hotline prompts import` it" in said
    assert "zh-CN and en are spoken here" in said


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("prompts: {welcome: {fr: Bienvenue.}}", "prompts.welcome"),
        ("prompts: {welcome: {en: ''}}", "prompts.welcome"),
        ("prompts: [", "is not YAML"),
        ("welcome: {en: Hello.}", "welcome"),
    ],
)
def test_words_that_cannot_be_read_are_refused_when_the_site_loads(tmp_path: Path, page: str, complaint: str) -> None:
    record(tmp_path / "sounds/en/welcome.wav")
    write(tmp_path / "sounds/prompts.yaml", page.encode())
    with pytest.raises(UnusableSounds, match=complaint) as caught:
        Sounds(tmp_path)
    assert str(tmp_path / "sounds/prompts.yaml") in str(caught.value)
