"""What is made of a recogniser's hearing: each prompt, and each language as a whole."""

from __future__ import annotations

import json
from array import array
from pathlib import Path

import pytest

from engine.cli.verify import listen
from engine.sounds import Prompt, Sounds
from engine.sounds.ffmpeg import RATE, Samples, encode
from engine.sounds.verifying import LINE_RATE, Heard, verify
from engine.speech.rehearsal import rehearsal

SENTENCES = {"greeting": "Good morning and welcome to Acme.", "sale": "The spring sale has begun today."}


class Ear:
    """Hears what it was told that it would, and keeps what it was given."""

    def __init__(self, *hears: str) -> None:
        self._hears = list(hears)
        self.given: list[tuple[Samples, str]] = []

    def hear(self, samples: Samples, language: str) -> str:
        self.given.append((samples, language))
        return self._hears.pop(0)


@pytest.fixture
def sounds(tmp_path: Path) -> Sounds:
    """Two English prompts of one second, in one codec each, and a recording without words."""
    folder = tmp_path / "sounds/en"
    folder.mkdir(parents=True)
    second: Samples = array("f", [0.25, -0.25] * (RATE // 2))
    (folder / "greeting.g722").write_bytes(encode(second, "g722"))
    (folder / "sale.alaw").write_bytes(encode(second, "alaw"))
    (folder / "jingle.ulaw").write_bytes(encode(second, "ulaw"))
    (tmp_path / "sounds/prompts.yaml").write_text(
        "prompts: " + json.dumps({name: {"en": words} for name, words in SENTENCES.items()})
    )
    return Sounds(tmp_path)


def prompts(sounds: Sounds, *names: str) -> list[Prompt]:
    return [sounds.prompt(name, "en") for name in names]


def test_each_prompt_is_heard_once_at_8_khz_from_whatever_codec_it_is_in(sounds: Sounds) -> None:
    ear = Ear(*SENTENCES.values())
    heard = list(verify(sounds, prompts(sounds, "greeting", "sale"), ear))
    assert [(one.prompt, one.errors, one.length) for one in heard] == [("greeting", 0, 6), ("sale", 0, 6)]
    for samples, language in ear.given:
        assert language == "en"
        assert len(samples) == pytest.approx(LINE_RATE, abs=80)


def test_what_has_no_words_or_no_recording_is_not_listened_to(sounds: Sounds) -> None:
    assert list(verify(sounds, prompts(sounds, "jingle", "nowhere"), Ear())) == []


def test_a_prompt_that_is_english_in_every_language_is_heard_as_english(tmp_path: Path) -> None:
    (tmp_path / "sounds/zh-CN").mkdir(parents=True)
    (tmp_path / "sounds/zh-CN/nine.alaw").write_bytes(b"\x55\xd5" * 4000)
    (tmp_path / "sounds/prompts.yaml").write_text('prompts: {nine: {zh-CN: "For English, press nine."}}')
    sounds = Sounds(tmp_path)
    ear = Ear("For English, press 9.")
    (heard,) = verify(sounds, [sounds.prompt("nine", "zh-CN")], ear)
    assert (heard.errors, heard.length, ear.given[0][1]) == (0, 4, "en")


@pytest.mark.parametrize(
    ("errors", "length", "understood"),
    [(0, 6, True), (1, 6, True), (2, 6, False), (2, 10, True), (1, 2, True), (2, 3, False), (1, 1, False)],
)
def test_one_slip_in_a_sentence_is_understood_and_half_of_a_word_at_most(
    errors: int, length: int, understood: bool
) -> None:
    assert Heard("x", "en", "", "", errors, length).understood is understood


def test_the_words_of_values_are_heard_in_values_and_a_mistake_is_put_down_to_its_word() -> None:
    sounds = Sounds()
    values = [value for value in rehearsal("en", 2) if {"digit-7", "month-5"} & set(value)]
    said = [" ".join(sounds.text(word, "en") for word in value) for value in values]
    said[0] = said[0].replace("seven", "eleven", 1)
    ear = Ear(*said)
    seven, may = verify(sounds, prompts(sounds, "digit-7", "month-5"), ear)
    assert (seven.prompt, seven.errors, may.prompt, may.errors) == ("digit-7", 1, "month-5", 0)
    assert seven.length == sum(value.count("digit-7") for value in values) >= 2
    assert seven.heard == said[0]
    assert len(ear.given) == len(values)


def test_a_language_is_good_when_every_prompt_is_and_few_of_its_words_are_misheard(
    sounds: Sounds, capsys: pytest.CaptureFixture[str]
) -> None:
    slip = (SENTENCES["greeting"].replace("morning", "mourning"), SENTENCES["sale"])
    both = prompts(sounds, "greeting", "sale", "jingle")
    assert listen(sounds, both, Ear(*slip), most=0.1, as_json=False)
    said = capsys.readouterr().out
    assert "ok  en/greeting" in said
    assert "1/6  Good morning and welcome to Acme. → Good mourning and welcome to Acme." in said
    assert "en: 8.3% of 12 words misheard (at most 10% may be)" in said
    assert "1 not listened to" in said
    assert not listen(sounds, both, Ear(*slip), most=0.05, as_json=False)


def test_one_prompt_that_is_not_understood_is_bad_whatever_the_others_are(
    sounds: Sounds, capsys: pytest.CaptureFixture[str]
) -> None:
    ear = Ear("Could morning and well come to Acme.", SENTENCES["sale"])
    assert not listen(sounds, prompts(sounds, "greeting", "sale"), ear, most=0.9, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["good"] is False
    assert told["misheard"] == {"en": 0.25}
    assert [(one["prompt"], one["understood"]) for one in told["prompts"]] == [("greeting", False), ("sale", True)]


def test_words_too_many_count_and_a_recogniser_that_repeats_itself_has_misheard_no_more_than_all(
    sounds: Sounds,
) -> None:
    today = SENTENCES["sale"].removesuffix(".")
    (twice,) = verify(sounds, prompts(sounds, "sale"), Ear(f"{today} today today."))
    (without_end,) = verify(sounds, prompts(sounds, "sale"), Ear(today + 200 * " today"))
    assert (twice.errors, without_end.errors) == (2, 6)
