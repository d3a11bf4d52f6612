"""What the benchmark's callers say is what a telephone would send."""

from __future__ import annotations

from pathlib import Path

from bench import voice
from bench.pcap import datagrams


def test_the_key_is_pressed_and_released_in_the_middle_of_speech() -> None:
    packets = list(voice.caller(key_at_ms=1100, key_ms=200, until_ms=2500))
    kinds = [packet.rtp[1] & 0x7F for packet in packets]
    keys = [packet for packet in packets if packet.rtp[1] & 0x7F == voice.TELEPHONE_EVENT]
    assert kinds[:55] == [voice.PCMA] * 55
    assert [packet.at_ms for packet in keys[:10]] == list(range(1100, 1300, 20))
    assert [bool(packet.rtp[13] & 0x80) for packet in keys] == [False] * 10 + [True] * 3
    assert kinds[-1] == voice.PCMA


def test_sequence_numbers_have_no_gap_and_speech_goes_on_at_its_own_time() -> None:
    packets = list(voice.caller(key_at_ms=100, key_ms=100, until_ms=400))
    assert [int.from_bytes(packet.rtp[2:4], "big") for packet in packets] == list(range(len(packets)))
    after = packets[-1]
    assert int.from_bytes(after.rtp[4:8], "big") == 380 * 8


def test_the_file_is_one_that_our_own_reader_understands(tmp_path: Path) -> None:
    voice.write_pcap(tmp_path / "said.pcap", voice.agent(until_ms=100))
    assert len(list(datagrams(tmp_path / "said.pcap"))) == 5
