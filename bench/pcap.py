"""UDP datagrams out of a pcap file (libpcap format, draft-ietf-opsawg-pcap) of the loopback interface."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.network import Address

_MICROSECONDS = 0xA1B2C3D4
_NANOSECONDS = 0xA1B23C4D
_ETHERNET = 1
_ETHERNET_HEADER = 14
_IPV4 = b"\x08\x00"
_UDP = 17
_UDP_HEADER = 8


@dataclass(frozen=True, slots=True)
class Datagram:
    at_ms: float
    """Milliseconds since the epoch."""
    source: Address
    target: Address
    payload: bytes


def datagrams(path: Path) -> Iterator[Datagram]:
    """In the order captured; a record cut off at the end of the file is left out.

    Raises `ValueError` for anything but a little-endian Ethernet capture.
    """
    with path.open("rb") as file:
        magic, link = struct.unpack("<I16xI", file.read(24))
        if magic not in (_MICROSECONDS, _NANOSECONDS) or link != _ETHERNET:
            raise ValueError(f"{path.name} is not an Ethernet pcap file (magic {magic:#x}, link type {link})")
        fraction_per_ms = 1_000 if magic == _MICROSECONDS else 1_000_000
        while len(header := file.read(16)) == 16:
            seconds, fraction, length, _on_wire = struct.unpack("<IIII", header)
            if len(frame := file.read(length)) < length:
                return
            if (found := _udp(frame)) is not None:
                yield Datagram(seconds * 1000 + fraction / fraction_per_ms, *found)


def _udp(frame: bytes) -> tuple[Address, Address, bytes] | None:
    packet = frame[_ETHERNET_HEADER:]
    if frame[12:14] != _IPV4 or packet[9] != _UDP:
        return None
    header = (packet[0] & 0x0F) * 4
    source_port, target_port, length = struct.unpack_from("!HHH", packet, header)
    return (
        Address(socket.inet_ntoa(packet[12:16]), source_port),
        Address(socket.inet_ntoa(packet[16:20]), target_port),
        packet[header + _UDP_HEADER : header + length],
    )
