"""What callers and agents say: RTP as SIPp plays it, real speech all the time and the caller's key in it.

A caller who sends nothing is not a call: Asterisk's Answer() waits half a second for the first packet, and a bridge
that carries nothing costs nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SPEECH = Path(__file__).resolve().parent.parent / "engine" / "sounds" / "zh-CN" / "goodbye.alaw"

PCMA, TELEPHONE_EVENT = 8, 96
_FRAME_MS = 20
_SAMPLES = 160
_KEY = 1
_END_PACKETS = 3
"""RFC 4733, section 2.5.1.4: the end of a key is sent three times."""


@dataclass(frozen=True, slots=True)
class Packet:
    at_ms: int
    rtp: bytes


def caller(*, key_at_ms: int, key_ms: int, until_ms: int) -> Iterator[Packet]:
    """Speech from the answer on, and one key in it; times in milliseconds since the answer, in whole frames."""
    yield from _stream(until_ms, key_at_ms, key_ms)


def agent(*, until_ms: int) -> Iterator[Packet]:
    """Speech from the answer on."""
    yield from _stream(until_ms, until_ms, 0)


def _stream(until_ms: int, key_at_ms: int, key_ms: int) -> Iterator[Packet]:
    speech = _SPEECH.read_bytes()
    sequence, key_ends_ms = 0, key_at_ms + key_ms
    for at_ms in range(0, until_ms, _FRAME_MS):
        timestamp = at_ms * _SAMPLES // _FRAME_MS
        if key_at_ms <= at_ms < key_ends_ms:
            began = key_at_ms * _SAMPLES // _FRAME_MS
            yield Packet(at_ms, _event(sequence, began, timestamp - began + _SAMPLES, first=at_ms == key_at_ms))
        elif key_ms and at_ms == key_ends_ms:
            began, lasted = key_at_ms * _SAMPLES // _FRAME_MS, key_ms * _SAMPLES // _FRAME_MS
            for repeat in range(_END_PACKETS):
                yield Packet(at_ms + repeat, _event(sequence + repeat, began, lasted, end=True))
            sequence += _END_PACKETS - 1
        else:
            start = timestamp % (len(speech) - _SAMPLES)
            yield Packet(at_ms, _rtp(PCMA, sequence, timestamp) + speech[start : start + _SAMPLES])
        sequence += 1


def _rtp(payload_type: int, sequence: int, timestamp: int, *, marker: bool = False) -> bytes:
    return struct.pack(">BBHII", 0x80, payload_type | marker << 7, sequence, timestamp, 0x484F544C)


def _event(sequence: int, began: int, duration: int, *, first: bool = False, end: bool = False) -> bytes:
    volume = 10
    header = _rtp(TELEPHONE_EVENT, sequence, began, marker=first)
    return header + struct.pack(">BBH", _KEY, volume | end << 7, duration)


def write_pcap(path: Path, packets: Iterator[Packet]) -> None:
    """As SIPp's play_pcap_audio reads it; it puts its own addresses and ports in."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for packet in packets:
            udp = struct.pack(">HHHH", 10000, 10000, 8 + len(packet.rtp), 0) + packet.rtp
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
            frame = b"\0" * 12 + b"\x08\0" + ip + udp
            seconds, milliseconds = divmod(packet.at_ms, 1000)
            file.write(struct.pack("<IIII", seconds, milliseconds * 1000, len(frame), len(frame)) + frame)
