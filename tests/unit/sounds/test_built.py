"""What an engine has spoken is known for it, until its words change or somebody records it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.sounds import Prompt, Sounds, Source, UnknownPrompt, UnusableSounds, built
from engine.sounds.making import why_not
from engine.sounds.tts.espeak import Espeak

VOICE = Espeak()
BY = VOICE.said_by("en")
CODECS = ("alaw", "ulaw")


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """A site's sounds folder with words for `sale` and for the shipped `welcome`."""
    folder = tmp_path / "sounds"
    (folder / "en").mkdir(parents=True)
    words(folder, "The spring sale has begun.")
    return folder


def words(sounds: Path, sale: str) -> None:
    (sounds / "prompts.yaml").write_text(f"prompts: {{sale: {{en: {sale}}}, welcome: {{en: Welcome to Acme.}}}}\n")


def put(sounds: Path, file: str, content: bytes = b"\xd5" * 800) -> None:
    (sounds / "en" / file).write_bytes(content)


def spoken(sounds: Path, name: str, text: str, *codecs: str) -> None:
    """As `build` leaves it."""
    files = {}
    for codec in codecs or CODECS:
        put(sounds, f"{name}.{codec}")
        files[codec] = built.digest(b"\xd5" * 800)
    mark = built.Built(voice=BY, said=built.said(text, BY), files=files)
    built.write(sounds, built.read(sounds) | {("en", name): mark})


def sale(sounds: Path) -> Prompt:
    return Sounds(sounds.parent).prompt("sale", "en")


def refusal(prompt: Prompt) -> str:
    return why_not(prompt, VOICE, CODECS) or ""


def test_words_alone_are_a_missing_prompt_and_say_how_it_is_made(sounds: Path) -> None:
    assert sale(sounds) == Prompt("sale", "en", "The spring sale has begun.", Source.MISSING, None)
    assert sale(sounds).wanting
    with pytest.raises(UnknownPrompt, match="hotline prompts build sale"):
        Sounds(sounds.parent).find("sale", "en")


def test_own_words_for_a_shipped_prompt_make_it_missing_in_that_language_only(sounds: Path) -> None:
    there = Sounds(sounds.parent)
    assert there.prompt("welcome", "en").source is Source.MISSING
    assert there.prompt("welcome", "zh-CN").source is Source.SHIPPED
    assert "welcome" not in there.names("en")


def test_a_name_without_words_is_missing_too(sounds: Path) -> None:
    assert Sounds(sounds.parent).prompt("nothing", "en") == Prompt("nothing", "en", "", Source.MISSING, None)


def test_what_was_built_is_found_with_its_voice_its_length_and_its_words(sounds: Path) -> None:
    spoken(sounds, "sale", "The spring sale has begun.")
    prompt = sale(sounds)
    assert (prompt.source, prompt.voice, prompt.duration_s) == (Source.BUILT, BY, 0.1)
    assert prompt.codecs == {"alaw", "ulaw"}
    assert Sounds(sounds.parent).text("sale", "en") == "The spring sale has begun."
    assert refusal(prompt) == "is as it should be"


def test_new_words_make_it_outdated_and_it_is_not_claimed_to_say_them(sounds: Path) -> None:
    spoken(sounds, "sale", "The spring sale has begun.")
    words(sounds, "The summer sale has begun.")
    assert sale(sounds).source is Source.OUTDATED
    assert sale(sounds).wanting
    there = Sounds(sounds.parent)
    assert there.find("sale", "en")
    assert there.text("sale", "en") == ""
    assert refusal(sale(sounds)) == ""


def test_words_that_were_taken_away_cannot_be_spoken_anew(sounds: Path) -> None:
    spoken(sounds, "sale", "The spring sale has begun.")
    (sounds / "prompts.yaml").unlink()
    assert sale(sounds).source is Source.OUTDATED
    assert "no words" in refusal(sale(sounds))


def test_another_voice_or_another_codec_has_it_built_again(sounds: Path) -> None:
    spoken(sounds, "sale", "The spring sale has begun.")
    assert why_not(sale(sounds), Espeak(words_a_minute=200), CODECS) is None
    assert why_not(sale(sounds), VOICE, (*CODECS, "g722")) is None
    assert refusal(sale(sounds))


def test_a_recording_is_never_spoken_over(sounds: Path) -> None:
    put(sounds, "sale.alaw")
    assert sale(sounds).source is Source.RECORDED
    assert "your own recording" in refusal(sale(sounds))


def test_a_shipped_prompt_needs_words_of_the_sites_own(sounds: Path) -> None:
    assert "words of your own" in refusal(Sounds(sounds.parent).prompt("goodbye", "en"))


def test_a_built_file_that_was_replaced_is_a_recording(sounds: Path) -> None:
    spoken(sounds, "sale", "The spring sale has begun.")
    for codec in CODECS:
        put(sounds, f"sale.{codec}", b"\x55" * 1600)
    assert sale(sounds).source is Source.RECORDED
    assert "your own recording" in refusal(sale(sounds))


@pytest.mark.parametrize("recorded", ["sale.sln", "sale.alaw"])
def test_a_recording_beside_a_built_file_is_pointed_out_as_asterisk_would_play_either(
    sounds: Path, recorded: str
) -> None:
    spoken(sounds, "sale", "The spring sale has begun.")
    put(sounds, recorded, b"\x55" * 1600)
    with pytest.raises(UnusableSounds, match=r"sale\.ulaw: was built by an engine, and beside it is a recording"):
        Sounds(sounds.parent)


def test_marks_of_files_that_are_gone_do_no_harm(sounds: Path) -> None:
    spoken(sounds, "sale", "The spring sale has begun.")
    for codec in CODECS:
        (sounds / "en" / f"sale.{codec}").unlink()
    assert sale(sounds).source is Source.MISSING


@pytest.mark.parametrize("page", ["", "[]", '{"en": {"sale": {"voice": "x"}}}', '{"en": {"sale": 1}}'])
def test_marks_that_were_spoilt_by_hand_are_a_fault_with_its_remedy(sounds: Path, page: str) -> None:
    (sounds / built.PAGE).write_text(page)
    with pytest.raises(UnusableSounds, match=r"built\.json: was changed by hand"):
        Sounds(sounds.parent)


def test_marks_are_read_as_they_were_written_in_an_order_that_version_control_likes(sounds: Path) -> None:
    for name in ("zebra", "ant"):
        spoken(sounds, name, name)
    assert set(built.read(sounds)) == {("en", "ant"), ("en", "zebra")}
    page = (sounds / built.PAGE).read_text()
    assert page.index("ant") < page.index("zebra")
    built.write(sounds, built.read(sounds))
    assert (sounds / built.PAGE).read_text() == page
