"""What happened to each call of a run, told by the packets alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench import sip
from bench.network import Network
from bench.pcap import Datagram

MIN_TALK_MS = 500.0
"""The caller hangs up at a fixed time, a second after an agent would be on the line at once: a call that was
routed half a second too late has failed for the caller."""


@dataclass(slots=True)
class Call:
    """One call; times in milliseconds since the epoch, None for what never happened."""

    number: str
    invited_ms: float
    answered_ms: float | None = None
    media_port: int = 0
    key_ms: float | None = None
    """The end of the last key: what Asterisk acts on."""
    offered_ms: float | None = None
    """The first INVITE to an agent for this caller."""
    offers: int = 0
    connected_ms: float | None = None
    """An agent's 200 OK."""
    hung_up_ms: float | None = None
    caller_closed: bool = False
    agent_closed: bool = False

    @property
    def talk_ms(self) -> float:
        return self.hung_up_ms - self.connected_ms if self.hung_up_ms and self.connected_ms else 0.0

    def failure(self) -> str | None:
        """What is missing from the whole story; None for a call that is complete."""
        steps = (
            ("not answered", self.answered_ms is not None),
            ("no key sent", self.key_ms is not None),
            ("no agent rung", self.offered_ms is not None),
            ("no agent connected", self.connected_ms is not None),
            ("talk too short", self.talk_ms >= MIN_TALK_MS),
            ("caller's BYE unanswered", self.caller_closed),
            ("agent not released", self.agent_closed),
        )
        return next((missing for missing, happened in steps if not happened), None)


@dataclass(slots=True)
class Story:
    calls: dict[str, Call] = field(default_factory=dict)
    """By the caller's number, which is unique in a run."""
    retransmissions: Counter[str] = field(default_factory=Counter)
    """By request or status and method, over both sides."""


def read(packets: Iterable[Datagram], network: Network) -> Story:
    reader = _Reader(network)
    for packet in packets:
        reader.take(packet)
    return reader.story


class _Reader:
    def __init__(self, network: Network) -> None:
        self.story = Story()
        self._network = network
        self._dialogs: dict[str, Call] = {}
        self._by_media_port: dict[int, Call] = {}
        self._seen: set[tuple[str, int, str, int, str]] = set()

    def take(self, packet: Datagram) -> None:
        message = sip.parse(packet.payload)
        if message is None:
            if packet.source.host == self._network.caller.host and sip.ends_key(packet.payload):
                self._key(packet)
        elif self._is_first(packet, message):
            if self._network.caller in (packet.source, packet.target):
                self._caller_side(packet.at_ms, message)
            elif self._network.agents in (packet.source, packet.target):
                self._agent_side(packet.at_ms, message)

    def _is_first(self, packet: Datagram, message: sip.Message) -> bool:
        """Counts what was sent again; a repeated ACK or provisional answer is normal and not counted."""
        identity = (message.method, message.status, message.call_id, message.cseq, str(packet.source))
        if identity not in self._seen:
            self._seen.add(identity)
            return True
        if message.method != "ACK" and not 100 <= message.status < 200:
            self.story.retransmissions[f"{message.status or ''} {message.method}".strip()] += 1
        return False

    def _key(self, packet: Datagram) -> None:
        # The port says whose key it is: Asterisk gives each caller one, and we know it from the 200 OK.
        call = self._by_media_port.get(packet.target.port)
        if call is not None and call.key_ms is None:
            call.key_ms = packet.at_ms

    def _caller_side(self, at_ms: float, message: sip.Message) -> None:
        match message.method, message.status:
            case "INVITE", 0:
                if message.call_id not in self._dialogs:
                    call = Call(message.from_user, at_ms)
                    self._dialogs[message.call_id] = self.story.calls[message.from_user] = call
            case "INVITE", 200:
                if (answered := self._dialogs.get(message.call_id)) is not None and answered.answered_ms is None:
                    answered.answered_ms, answered.media_port = at_ms, message.audio_port
                    self._by_media_port[message.audio_port] = answered
            case "BYE", 0 | 200 as status:
                if (ended := self._dialogs.get(message.call_id)) is not None:
                    self._caller_hangs_up(ended, at_ms, status)

    def _caller_hangs_up(self, call: Call, at_ms: float, status: int) -> None:
        if status == 200:
            call.caller_closed = True
        else:
            call.hung_up_ms = at_ms
        # From now on the port may be another call's.
        if self._by_media_port.get(call.media_port) is call:
            del self._by_media_port[call.media_port]

    def _agent_side(self, at_ms: float, message: sip.Message) -> None:
        if (message.method, message.status) == ("INVITE", 0) and message.call_id not in self._dialogs:
            if (caller := self.story.calls.get(message.from_user)) is not None:
                self._dialogs[message.call_id] = caller
                caller.offers += 1
                caller.offered_ms = caller.offered_ms or at_ms
            return
        call = self._dialogs.get(message.call_id)
        if call is None:
            return
        match message.method, message.status:
            case "INVITE", 200:
                call.connected_ms = call.connected_ms or at_ms
            case "BYE", 200:
                call.agent_closed = True
