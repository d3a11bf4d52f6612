"""Asterisk plays what `hotline prompts` makes, in every codec that it is made in."""

from __future__ import annotations

import asyncio
import math
from array import array
from itertools import pairwise
from pathlib import Path

import pytest

from engine.host import asterisk_program
from engine.sounds.ffmpeg import CODECS, RATE, Samples, decode, encode, loudness_lufs
from tests.e2e.hotline import Hotline

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def command(hotline: Hotline, words: str) -> str:
    """What the running Asterisk answers on its console."""
    conf = hotline.state.asterisk / "etc/asterisk.conf"
    console = await asyncio.create_subprocess_exec(
        *asterisk_program.find().argv, "-C", str(conf), "-rx", words, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(console.communicate(), 10)
    return said.decode()


@pytest.mark.parametrize("codec", CODECS)
async def test_asterisk_hears_in_each_codec_what_was_put_in(hotline: Hotline, tmp_path: Path, codec: str) -> None:
    said: Samples = array("f", (0.3 * math.sin(2 * math.pi * 1000 * n / RATE) for n in range(2 * RATE)))
    (tmp_path / f"tone.{codec}").write_bytes(encode(said, codec))
    answer = await command(hotline, f"file convert {tmp_path}/tone.{codec} {tmp_path}/heard.sln")
    assert answer.startswith("Converted"), answer
    heard = decode(tmp_path / "heard.sln", 10).samples
    assert len(heard) == pytest.approx(len(said), rel=0.01)
    assert loudness_lufs(heard) == pytest.approx(loudness_lufs(said), abs=0.5)
    crossings = sum(a < 0 <= b for a, b in pairwise(heard))
    assert crossings / (len(heard) / RATE) == pytest.approx(1000, abs=10), "another tone, or noise"
