"""`hotline prompts` on a site, with espeak-ng for a voice."""

from __future__ import annotations

import json
import math
import sys
import wave
from array import array
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.config import site as sites
from engine.config.source import SiteError
from engine.sounds import Sounds, Source
from engine.sounds.audio import LONGEST_S
from engine.sounds.ffmpeg import decode
from tests.sounds.conftest import Hotline


def listed(prompts: Hotline, *arguments: str) -> dict[tuple[str, str], dict[str, Any]]:
    answer = prompts("list", "--json", *arguments)
    assert answer.exit_code == 0, answer.output
    return {(row["language"], row["name"]): row for row in json.loads(answer.stdout)["prompts"]}


def use(site: Path, voice: str) -> None:
    """The site's `tts`, for English."""
    hotline = site / "dialplan/hotline.yaml"
    hotline.write_text(hotline.read_text() + f"tts: {{en: {voice}}}\n")


def recording(path: Path, *, seconds: float = 1.0, level: float = 0.5) -> Path:
    rate = 22_050
    samples = (math.sin(2 * math.pi * 440 * n / rate) for n in range(int(seconds * rate)))
    pcm = array("h", (round(32767 * max(-1.0, min(1.0, level * sample))) for sample in samples))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(pcm.tobytes())
    return path


def test_the_list_has_each_prompt_that_is_played_in_each_language_with_its_source(prompts: Hotline) -> None:
    rows = listed(prompts)
    assert rows["en", "sale"]["source"] == "missing"
    assert rows["en", "sale"]["used_by"] == ["flows/main sale"]
    assert rows["en", "sale"]["words"] == "The spring sale has begun."
    assert rows["zh-CN", "sale"]["words"] == "春季促销开始了。"
    assert rows["en", "goodbye"]["source"] == "shipped"
    assert rows["en", "goodbye"]["seconds"] > 1
    assert ("zh-CN", "goodbye") not in rows, "it is played in English only"
    assert rows["en", "position-3"]["used_by"] == ["queues sales"]
    assert ("en", "unused") not in rows


def test_all_lists_what_nobody_plays_too_and_a_language_is_listed_by_itself(prompts: Hotline) -> None:
    rows = listed(prompts, "--all", "--language", "en")
    assert rows["en", "unused"]["used_by"] == []
    assert {language for language, _ in rows} == {"en"}


def test_a_person_sees_the_same_in_a_table(prompts: Hotline) -> None:
    answer = prompts()
    assert answer.exit_code == 0
    sale = next(line for line in answer.stdout.splitlines() if line.startswith("sale") and " en " in line)
    assert sale.split()[:3] == ["sale", "en", "MISSING"]
    assert "The spring sale has begun." in sale


def test_the_words_that_values_are_said_with_are_one_line_and_all_of_them_when_asked_for(
    site: Path, prompts: Hotline
) -> None:
    flow = site / "dialplan/flows/main.yaml"
    flow.write_text(flow.read_text().replace("  end:", "  price:\n    say: {money: '88.50'}\n  end:"))
    said = prompts().stdout
    assert "shipped words that numbers, money, dates and times are made of (--all)" in said
    assert "digit-1" not in said
    assert "digit-1" in prompts("--all").stdout
    assert listed(prompts)["zh-CN", "digit-1"]["used_by"] == ["flows/main price"]


def test_missing_prompts_make_an_exit_code_and_each_says_where_it_is_played_and_what_to_do(
    site: Path, prompts: Hotline
) -> None:
    answer = prompts("missing", "--language", "en")
    assert answer.exit_code == 1
    assert answer.stdout.splitlines() == [
        "en/greeting has only words; played by flows/main greet",
        "en/sale has only words; played by flows/main sale",
        "`hotline prompts build` has 2 spoken; `hotline prompts import FILE` takes a recording.",
    ]
    (site / "sounds/prompts.yaml").unlink()
    assert prompts("missing", "--language", "en").stdout.splitlines()[1:] == [
        "en/sale has no words; played by flows/main sale",
        "2 without words: write them into sounds/prompts.yaml, or import a recording.",
    ]


def test_the_music_that_callers_wait_with_is_listed_and_missed_when_asterisk_has_none(
    site: Path, prompts: Hotline
) -> None:
    (site / "dialplan/queues.yaml").write_text(
        "queues: {sales: {require: sales}, vip: {require: sales, music: jazz}, night: {require: sales, music: soft}}"
    )
    with (site / "asterisk_conf/musiconhold.conf").open("a") as conf:
        conf.write("[soft]\nmode=files\ndirectory=/srv/soft ; at night\n")
    heard = {each["name"]: each for each in json.loads(prompts("list", "--json").stdout)["music"]}
    assert heard["default"]["source"].endswith("sounds/moh")
    assert heard["soft"] == {"name": "soft", "source": "/srv/soft", "used_by": ["queues night"]}
    prompts("build", "--engine", "espeak-ng")
    answer = prompts("missing")
    assert answer.exit_code == 1
    assert answer.stdout == (
        "music jazz: MISSING: no such section in asterisk_conf/musiconhold.conf; played by queues vip\n"
    )


def test_check_refuses_a_prompt_that_a_flow_plays_and_nobody_speaks_at_its_line(site: Path) -> None:
    with pytest.raises(SiteError) as caught:
        sites.load(site)
    said = [str(fault) for fault in caught.value.faults]
    assert len(said) == 4
    assert any(
        fault.startswith("dialplan/flows/main.yaml:6:5: `sale` has words in en")
        and "hotline prompts build sale" in fault
        for fault in said
    )


def test_build_has_the_missing_ones_spoken_and_the_site_is_whole(site: Path, prompts: Hotline) -> None:
    answer = prompts("build", "--engine", "espeak-ng")
    assert answer.exit_code == 0, answer.output
    assert "hardly understand espeak-ng's Mandarin" in answer.stderr
    assert prompts("missing").exit_code == 0
    rows = listed(prompts)
    assert rows["en", "sale"]["source"] == "built"
    assert rows["en", "sale"]["voice"] == "espeak-ng en-us 150"
    assert rows["en", "sale"]["codecs"] == ["alaw", "ulaw"]
    assert 1 < rows["en", "sale"]["seconds"] < 4
    assert sites.load(site).sounds.text("sale", "en") == "The spring sale has begun."


def test_words_that_nobody_plays_are_a_warning_until_they_are_built(site: Path, prompts: Hotline) -> None:
    prompts("build", "--engine", "espeak-ng")
    warned = [str(warning) for warning in sites.load(site).warnings]
    unused = "no flow plays `unused`, which has words in en and no recording; `hotline prompts build unused`"
    assert warned == [f"sounds/prompts.yaml:5:12: {unused}"]
    assert prompts("build", "unused", "--engine", "espeak-ng").exit_code == 0
    assert not any("unused" in str(warning) for warning in sites.load(site).warnings)


def test_new_words_are_a_warning_and_are_built_again_and_nothing_else_is(site: Path, prompts: Hotline) -> None:
    prompts("build", "--engine", "espeak-ng")
    page = site / "sounds/prompts.yaml"
    page.write_text(page.read_text().replace("The spring sale has begun.", "The summer sale has begun today."))
    assert any("`sale` has new words in en" in str(warning) for warning in sites.load(site).warnings)
    assert "en/sale has other words than were built" in prompts("missing").stdout
    answer = prompts("build", "--engine", "espeak-ng")
    assert [line.split(":")[0] for line in answer.stdout.splitlines()] == [
        "en/sale",
        "Built 1. Listen to them, or `hotline prompts verify`; `hotline reload` lets callers hear them.",
    ]
    assert prompts("build", "--engine", "espeak-ng").stdout.startswith("Nothing to build")


def test_the_engine_comes_from_hotline_yaml_for_each_language(site: Path, prompts: Hotline) -> None:
    use(site, "{engine: espeak-ng, voice: en-gb, words_a_minute: 180}")
    assert prompts("build", "--language", "en").exit_code == 0
    assert listed(prompts)["en", "sale"]["voice"] == "espeak-ng en-gb 180"


def test_one_that_cannot_be_spoken_does_not_keep_the_others_from_it(site: Path, prompts: Hotline) -> None:
    picky = "import subprocess, sys; text = sys.stdin.read(); sys.exit('not that') if 'sale' in text else "
    picky += "subprocess.run(['espeak-ng', '--stdout', text])"
    command = json.dumps([sys.executable, "-c", picky])
    use(site, f"{{engine: command, command: {command}}}")
    answer = prompts("build", "--language", "en")
    assert answer.exit_code == 1
    assert "en/sale: `" in answer.stderr
    assert "not that" in answer.stderr
    assert "en/greeting: " in answer.stdout
    assert listed(prompts)["en", "greeting"]["source"] == "built"


def test_an_engine_that_gives_no_audio_leaves_the_prompt_missing(site: Path, prompts: Hotline) -> None:
    answer = prompts("build", "sale", "--language", "en", "--engine", "command:echo hello")
    assert answer.exit_code == 1
    assert "en/sale: cannot be read as audio" in answer.stderr
    assert listed(prompts)["en", "sale"]["source"] == "missing"


def test_a_prompt_without_words_cannot_be_built_and_says_so(site: Path, prompts: Hotline) -> None:
    (site / "sounds/prompts.yaml").write_text("prompts: {greeting: {en: Hello.}, sale: {en: Sale!}}\n")
    answer = prompts("build", "--engine", "espeak-ng")
    assert answer.exit_code == 1
    assert "zh-CN/sale has no words in zh-CN; write them into sounds/prompts.yaml" in answer.stderr


def test_names_and_languages_that_there_are_none_of_are_refused(prompts: Hotline) -> None:
    for arguments in (("build", "sael"), ("list", "--language", "fr"), ("build", "--engine", "tape")):
        answer = prompts(*arguments)
        assert answer.exit_code != 0
        assert any(word in answer.stderr for word in ("no prompt `sael`", "are spoken here", "no engine"))


@pytest.mark.parametrize("codecs", ["alaw", "!all,ulaw,g722", "g729,alaw"])
def test_prompts_are_built_and_imported_in_the_codecs_of_the_trunks(
    site: Path, prompts: Hotline, tmp_path: Path, codecs: str
) -> None:
    (site / "sip_trunks/demo-carrier.conf").write_text(f"[c]\ntype=endpoint\nallow={codecs}\n")
    wanted = {"alaw": {"alaw"}, "!all,ulaw,g722": {"ulaw", "g722"}, "g729,alaw": {"wav", "alaw"}}[codecs]
    prompts("build", "sale", "--engine", "espeak-ng")
    prompts("import", str(recording(tmp_path / "greeting.wav")), "--language", "en")
    for language, name in (("zh-CN", "sale"), ("en", "greeting")):
        assert {file.suffix[1:] for file in (site / "sounds" / language).glob(f"{name}.*")} == wanted


def test_import_takes_a_recording_under_its_own_name_or_another(site: Path, prompts: Hotline, tmp_path: Path) -> None:
    file = recording(tmp_path / "greeting.wav", seconds=2.0)
    assert prompts("import", str(file)).stdout == "zh-CN/greeting: 2.2 s, in alaw, ulaw\n"
    assert prompts("import", str(file), "--as", "sale", "--language", "en").exit_code == 0
    there = Sounds(site)
    assert there.prompt("greeting", "zh-CN").source is Source.RECORDED
    assert there.prompt("sale", "en").source is Source.RECORDED
    assert there.duration_s("sale", "en") == pytest.approx(2.25, abs=0.05)
    heard = decode(Path(there.find("sale", "en") + ".ulaw"), LONGEST_S).samples
    assert 0.1 < max(heard) < 0.7


def test_a_recording_takes_the_place_of_what_was_built_and_is_not_built_over(
    site: Path, prompts: Hotline, tmp_path: Path
) -> None:
    prompts("build", "--engine", "espeak-ng")
    (site / "sip_trunks/demo-carrier.conf").write_text("[c]\ntype=endpoint\nallow=alaw\n")
    assert prompts("import", str(recording(tmp_path / "sale.wav")), "--language", "en").exit_code == 0
    taken = (site / "sounds/en/sale.alaw").read_bytes()
    assert not (site / "sounds/en/sale.ulaw").exists(), "the machine's voice is left in no codec"
    page = site / "sounds/prompts.yaml"
    page.write_text(page.read_text().replace("spring", "summer"))
    prompts("build", "--engine", "espeak-ng")
    refused = prompts("build", "sale", "--language", "en", "--engine", "espeak-ng")
    assert "en/sale is your own recording" in refused.stdout
    assert (site / "sounds/en/sale.alaw").read_bytes() == taken
    assert listed(prompts)["en", "sale"]["source"] == "recorded"


def test_import_refuses_what_cannot_be_a_prompt_and_takes_the_rest(
    site: Path, prompts: Hotline, tmp_path: Path
) -> None:
    good = recording(tmp_path / "good.wav")
    clipped = recording(tmp_path / "clipped.wav", level=4.0)
    text = tmp_path / "notes.wav"
    text.write_text("please record this")
    odd = recording(tmp_path / "a,b.wav")
    inside = recording(site / "sounds" / "studio.wav")
    files = [clipped, text, tmp_path / "gone.wav", odd, inside, good]
    answer = prompts("import", *map(str, files), "--language", "en")
    assert answer.exit_code == 1
    told = dict(line.split(": ", 1) for line in answer.stderr.splitlines())
    assert told[str(clipped)].startswith("is clipped")
    assert told[str(text)].startswith("cannot be read as audio")
    assert told[str(tmp_path / "gone.wav")] == "cannot be read as audio (No such file or directory)"
    assert "`a,b` is no name for a prompt" in told[str(odd)]
    assert "move the original elsewhere" in told[str(inside)]
    assert [file.name for file in sorted((site / "sounds/en").iterdir())] == ["good.alaw", "good.ulaw"]


def test_one_name_for_several_files_is_refused_and_a_folder_that_is_no_site(tmp_path: Path) -> None:
    file = recording(tmp_path / "x.wav")
    (tmp_path / "dialplan").mkdir()
    runner = CliRunner()
    several = runner.invoke(app, ["prompts", "--site", str(tmp_path), "import", str(file), str(file), "--as", "x"])
    assert several.exit_code == 2
    nowhere = runner.invoke(app, ["prompts", "import", str(file), "--site", str(tmp_path / "nowhere")])
    assert nowhere.exit_code == 1
    assert "is no site" in nowhere.stderr
