"""The wire is the judge of every run, so what it says is tested on captures made by hand."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from pathlib import Path

import pytest

from bench import pcap, story
from bench.network import Address, Network

NETWORK = Network(17000)
CALLER, SYSTEM, AGENTS = NETWORK.caller, NETWORK.system, NETWORK.agents
MEDIA = Address(CALLER.host, NETWORK.caller_media_port)
Packet = tuple[float, Address, Address, bytes]


def sip(first: str, call_id: str, cseq: str, user: str, sdp_port: int = 0) -> bytes:
    body = f"v=0\r\nm=audio {sdp_port} RTP/AVP 8 96\r\n" if sdp_port else ""
    head = f"{first}\r\nFrom: <sip:{user}@127.0.0.1>;tag=1\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\n"
    return f"{head}\r\n{body}".encode()


def key(*, ended: bool) -> bytes:
    return struct.pack("!BBHII", 0x80, 96, 1, 160, 7) + bytes([1, 0x8A if ended else 0x0A, 6, 64])


def call(number: str, *, at: float, port: int) -> dict[str, Packet]:
    """The packets of a complete call, by what they are; times in ms, the key down at 1000 and up at 1200."""
    out, agent_leg = f"out-{number}-{at}", f"in-{number}-{at}"
    media = Address(SYSTEM.host, port)
    packets: dict[str, Packet] = {
        "invite": (0, CALLER, SYSTEM, sip("INVITE sip:400@x SIP/2.0", out, "1 INVITE", number, 17020)),
        "trying": (1, SYSTEM, CALLER, sip("SIP/2.0 100 Trying", out, "1 INVITE", number)),
        "answer": (3, SYSTEM, CALLER, sip("SIP/2.0 200 OK", out, "1 INVITE", number, port)),
        "key down": (1000, MEDIA, media, key(ended=False)),
        "key up": (1200, MEDIA, media, key(ended=True)),
        "key up again": (1201, MEDIA, media, key(ended=True)),
        "offer": (1204, SYSTEM, AGENTS, sip("INVITE sip:1001@x SIP/2.0", agent_leg, "7 INVITE", number, 18500)),
        "connect": (1405, AGENTS, SYSTEM, sip("SIP/2.0 200 OK", agent_leg, "7 INVITE", number, 17040)),
        "hang up": (2405, CALLER, SYSTEM, sip("BYE sip:400@x SIP/2.0", out, "2 BYE", number)),
        "hung up": (2406, SYSTEM, CALLER, sip("SIP/2.0 200 OK", out, "2 BYE", number)),
        "release": (2408, SYSTEM, AGENTS, sip("BYE sip:1001@x SIP/2.0", agent_leg, "8 BYE", number)),
        "released": (2409, AGENTS, SYSTEM, sip("SIP/2.0 200 OK", agent_leg, "8 BYE", number)),
    }
    return {name: (at + ms, *rest) for name, (ms, *rest) in packets.items()}  # type: ignore[misc]


def told(packets: Iterable[Packet], folder: Path) -> story.Story:
    """What the story is after a round trip through a capture file."""
    file = folder / "wire.pcap"
    records = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for at_ms, source, target, payload in sorted(packets, key=lambda packet: packet[0]):
        udp = struct.pack("!HHHH", source.port, target.port, 8 + len(payload), 0) + payload
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
        frame = bytes(12) + b"\x08\x00" + ip + socket.inet_aton(source.host) + socket.inet_aton(target.host) + udp
        seconds, ms = divmod(at_ms, 1000)
        records.append(struct.pack("<IIII", int(seconds), round(ms * 1000), len(frame), len(frame)) + frame)
    file.write_bytes(b"".join(records))
    return story.read(pcap.datagrams(file), NETWORK)


def test_a_complete_call_is_timed_from_the_end_of_its_key(tmp_path: Path) -> None:
    one = told(call("13900000001", at=5000, port=18000).values(), tmp_path).calls["13900000001"]
    assert one.failure() is None
    assert one.key_ms is not None
    assert one.offered_ms is not None
    assert one.answered_ms is not None
    assert one.offered_ms - one.key_ms == pytest.approx(4)
    assert one.answered_ms - one.invited_ms == pytest.approx(3)
    assert one.talk_ms == pytest.approx(1000)
    assert one.offers == 1


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ({"answer"}, "not answered"),
        ({"key up", "key up again"}, "no key sent"),
        ({"offer"}, "no agent rung"),
        ({"connect"}, "no agent connected"),
        ({"hang up", "hung up"}, "talk too short"),
        ({"hung up"}, "caller's BYE unanswered"),
        ({"released"}, "agent not released"),
    ],
)
def test_a_call_without_one_of_its_steps_has_failed(missing: set[str], reason: str, tmp_path: Path) -> None:
    packets = call("13900000001", at=5000, port=18000)
    kept = [packet for name, packet in packets.items() if name not in missing]
    assert told(kept, tmp_path).calls["13900000001"].failure() == reason


def test_a_media_port_used_again_belongs_to_the_later_call(tmp_path: Path) -> None:
    first = call("13900000001", at=5000, port=18000)
    second = call("13900000002", at=8000, port=18000)
    calls = told([*first.values(), *second.values()], tmp_path).calls
    assert [calls[f"1390000000{n}"].key_ms for n in (1, 2)] == pytest.approx([6200, 9200])


def test_calls_at_the_same_time_keep_their_keys_apart(tmp_path: Path) -> None:
    first = call("13900000001", at=5000, port=18000)
    second = call("13900000002", at=5050, port=18002)
    calls = told([*first.values(), *second.values()], tmp_path).calls
    assert [calls[f"1390000000{n}"].key_ms for n in (1, 2)] == pytest.approx([6200, 6250])


def test_retransmissions_are_counted_and_change_no_time(tmp_path: Path) -> None:
    packets = call("13900000001", at=5000, port=18000)
    again = [(at + 500, *rest) for at, *rest in (packets["offer"], packets["answer"])]
    read = told([*packets.values(), *again], tmp_path)  # type: ignore[list-item]
    assert dict(read.retransmissions) == {"INVITE": 1, "200 INVITE": 1}
    assert read.calls["13900000001"].offered_ms == pytest.approx(6204)


def test_an_offer_to_a_second_agent_counts_but_the_first_is_timed(tmp_path: Path) -> None:
    packets = call("13900000001", at=5000, port=18000)
    second = (6300.0, SYSTEM, AGENTS, sip("INVITE sip:1002@x SIP/2.0", "other", "1 INVITE", "13900000001", 18600))
    one = told([*packets.values(), second], tmp_path).calls["13900000001"]
    assert one.offers == 2
    assert one.offered_ms == pytest.approx(6204)
