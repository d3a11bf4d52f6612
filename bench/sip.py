"""As much of SIP (RFC 3261) and telephone events (RFC 4733) as reading a capture takes."""

from __future__ import annotations

import re
from dataclasses import dataclass

_USER = re.compile(r"sips?:([^@>;]+)@")
_AUDIO = re.compile(r"^m=audio (\d+)", re.MULTILINE)
_TELEPHONE_EVENT = 96
_END_BIT = 0x80
_RTP_HEADER = 12


@dataclass(frozen=True, slots=True)
class Message:
    method: str
    """Of the request, or of the request that is answered."""
    status: int
    """0 for a request."""
    call_id: str
    cseq: int
    from_user: str
    audio_port: int
    """Of the SDP offer or answer; 0 without one."""


def parse(payload: bytes) -> Message | None:
    """None for what is not a SIP message (RTP, keep-alives)."""
    if b"SIP/2.0" not in payload.partition(b"\r\n")[0]:
        return None
    head, _, body = payload.decode(errors="replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    cseq, _, method = headers.get("cseq", "0 ").partition(" ")
    user = _USER.search(headers.get("from", ""))
    audio = _AUDIO.search(body)
    return Message(
        method=method.strip(),
        status=int(first.split()[1]) if first.startswith("SIP/2.0") else 0,
        call_id=headers.get("call-id", ""),
        cseq=int(cseq),
        from_user=user[1] if user else "",
        audio_port=int(audio[1]) if audio else 0,
    )


def ends_key(payload: bytes) -> bool:
    """Whether this RTP packet reports the end of a key (RFC 4733, 2.3: the E bit)."""
    return (
        len(payload) >= _RTP_HEADER + 4
        and payload[0] >> 6 == 2
        and payload[1] & 0x7F == _TELEPHONE_EVENT
        and bool(payload[_RTP_HEADER + 1] & _END_BIT)
    )
