"""Prompts are kept in the codecs of the trunks, whichever file and template says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.sounds.trunk_codecs import trunk_codecs

PROJECT = Path(__file__).resolve().parents[3]


def site(folder: Path, pjsip: str, **trunks: str) -> Path:
    (folder / "asterisk_conf").mkdir()
    (folder / "asterisk_conf/pjsip.conf").write_text(pjsip)
    (folder / "sip_trunks").mkdir()
    for name, text in trunks.items():
        (folder / "sip_trunks" / f"{name}.conf").write_text(text)
    return folder


TEMPLATE = "[trunk](!)\ntype = endpoint\ndisallow = all\nallow = alaw,ulaw\n"


def test_the_default_sites_trunks_are_g711(tmp_path: Path) -> None:
    for folder in ("asterisk_conf", "sip_trunks"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    assert trunk_codecs(tmp_path) == ("alaw", "ulaw")


@pytest.mark.parametrize(
    ("trunk", "codecs"),
    [
        ("[a](trunk)\n", ("alaw", "ulaw")),
        ("[a](trunk)\nallow = g722\n", ("alaw", "ulaw", "g722")),
        ("[a](trunk)\ndisallow = ulaw\n", ("alaw",)),
        ("[a](trunk)\nallow = !all,ulaw\n", ("ulaw",)),
        ("[a](trunk)\nallow => !alaw ; a comment\n", ("ulaw",)),
        ("[a]\ntype=endpoint\nallow=G722, alaw\n", ("g722", "alaw")),
        ("[a]\ntype=endpoint\nallow=g729\n", ("wav",)),
        ("[a]\ntype=endpoint\nallow=opus,alaw,gsm\n", ("wav", "alaw")),
        ("[a]\ntype=endpoint\nallow=all\n", ("alaw", "ulaw", "wav")),
        ("; [a](trunk)\n;allow=g722\n", ("alaw", "ulaw")),
        ("[a]\ntype=aor\nallow=g722\n", ("alaw", "ulaw")),
        ("[here](!,trunk)\nallow=g722\n[a](here)\n", ("alaw", "ulaw", "g722")),
        ("[here](!)\ntype=endpoint\nallow=g722\n", ("alaw", "ulaw")),
    ],
)
def test_a_trunks_codecs_are_what_it_allows_over_its_template(
    tmp_path: Path, trunk: str, codecs: tuple[str, ...]
) -> None:
    assert trunk_codecs(site(tmp_path, TEMPLATE, a=trunk)) == codecs


def test_several_trunks_need_each_codec_once(tmp_path: Path) -> None:
    folder = site(
        tmp_path,
        TEMPLATE,
        a="[a](trunk)\ndisallow=ulaw\n",
        b="[b](trunk)\nallow=!all,g722\n",
        c="[c](trunk)\nallow=g729,ilbc\n",
    )
    assert trunk_codecs(folder) == ("alaw", "g722", "ulaw", "wav")


def test_a_site_without_trunks_has_the_usual_ones(tmp_path: Path) -> None:
    assert trunk_codecs(tmp_path) == ("alaw", "ulaw")
