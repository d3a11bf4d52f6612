"""The pjsua2 side of a phone: its account, its legs (calls) and the ears and mouths that a leg borrows.

Everything here runs in the worker's main thread, inside `Endpoint.libHandleEvents`, with one exception:
`Ear.onFrameReceived` is called by the thread that clocks the conference bridge.
"""

import re
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from phones.tones import RATE_HZ

FRAME_S = 0.02
LONGEST_WINDOW_S = 10.0
STATES = {
    pj.PJSIP_INV_STATE_CALLING: "calling",
    pj.PJSIP_INV_STATE_INCOMING: "ringing",
    pj.PJSIP_INV_STATE_EARLY: "ringing",
    pj.PJSIP_INV_STATE_CONNECTING: "connecting",
    pj.PJSIP_INV_STATE_CONFIRMED: "talking",
    pj.PJSIP_INV_STATE_DISCONNECTED: "ended",
}

Report = Callable[..., None]


class Ear(pj.AudioMediaPort):  # type: ignore[misc]  # pjsua2 ships no types
    """What a leg receives, kept only while somebody listens: copying a frame out of C++ costs 0.2 ms."""

    def __init__(self) -> None:
        super().__init__()
        self.listeners = 0
        self.heard = 0
        self.frames: deque[bytes] = deque(maxlen=round(LONGEST_WINDOW_S / FRAME_S))
        audio = pj.MediaFormatAudio()
        audio.init(pj.PJMEDIA_FORMAT_PCM, RATE_HZ, 1, round(FRAME_S * 1_000_000), 16)
        audio.type = pj.PJMEDIA_TYPE_AUDIO
        self.createPort("ear", audio)

    def onFrameReceived(self, frame: Any) -> None:  # noqa: N802
        if self.listeners:
            self.frames.append(bytes(frame.buf))
            self.heard += 1


class Mouth(pj.ToneGenerator):  # type: ignore[misc]
    """A continuous sine."""

    def __init__(self) -> None:
        super().__init__()
        self.createToneGenerator(RATE_HZ, 1)

    def sing(self, hz: int) -> None:
        self.stop()
        tone = pj.ToneDesc()
        tone.freq1, tone.freq2, tone.on_msec, tone.off_msec = hz, 0, 1000, 0
        tones = pj.ToneDescVector()
        tones.append(tone)
        self.play(tones, True)


class Leg(pj.Call):  # type: ignore[misc]
    """One call."""

    def __init__(self, account: "Account", number: int, ear: Ear, mouth: Mouth, call_id: int = -1) -> None:
        super().__init__(account, call_id)
        self.number = number
        self.ear = ear
        self.mouth = mouth
        self.ended = False
        self.ended_by_us = False
        self._report = account.report
        self._tone_hz = 0
        self._recorder: Any = None
        self._media: Any = None

    def onCallState(self, prm: Any) -> None:  # noqa: N802
        info = self.getInfo()
        state = STATES.get(info.state)
        if state is None:
            return
        self.ended = state == "ended"
        if self.ended:
            # Closes a recording's file, and the bridge forgets the stream by itself.
            self._media = self._recorder = None
        self._report(
            "state",
            call=self.number,
            state=state,
            code=info.lastStatusCode,
            reason=info.lastReason,
            who="us" if self.ended_by_us else "them",
            cause=header(message_of(prm), "Reason") if self.ended else "",
        )

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        info = self.getInfo()  # its `media` lives only as long as itself
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                self._media = self.getAudioMedia(index)
                self._media.startTransmit(self.ear)
                if self._recorder is not None:
                    self._media.startTransmit(self._recorder)
                self._connect_tone()

    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        self._report("digit", call=self.number, digit=prm.digit)

    def respond(self, code: int) -> None:
        answer = pj.CallOpParam()
        answer.statusCode = code
        self.ended_by_us = code >= 300
        self.answer(answer)

    def forward(self, target: str) -> None:
        answer = pj.CallOpParam()
        answer.statusCode = 302
        contact = pj.SipHeader()
        contact.hName, contact.hValue = "Contact", f"<{target}>"
        answer.txOption.headers.append(contact)
        self.ended_by_us = True
        self.answer(answer)

    def hang_up(self) -> None:
        if self.isActive():
            self.ended_by_us = True
            self.hangup(pj.CallOpParam())

    def tone(self, hz: int) -> None:
        """Plays `hz` until told otherwise (0 = stop); from the moment there is audio if there is none yet."""
        if self._tone_hz and self._media is not None:
            self.mouth.stopTransmit(self._media)
        self._tone_hz = hz
        self._connect_tone()

    def _connect_tone(self) -> None:
        if self._tone_hz and self._media is not None:
            self.mouth.sing(self._tone_hz)
            self.mouth.startTransmit(self._media)

    def record(self, path: str) -> None:
        self._recorder = pj.AudioMediaRecorder()
        self._recorder.createRecorder(path)
        if self._media is not None:
            self._media.startTransmit(self._recorder)


class Account(pj.Account):  # type: ignore[misc]
    """The worker's one SIP account, on one UDP socket."""

    def __init__(self, report: Report, take_call: Callable[[int, str], None]) -> None:
        super().__init__()
        self.report = report
        self.registered = False
        self._take_call = take_call

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        self._take_call(prm.callId, prm.rdata.wholeMsg)

    def onRegState(self, prm: Any) -> None:  # noqa: N802
        self.registered = prm.code // 100 == 2 and prm.expiration > 0
        self.report("registration", registered=self.registered, code=prm.code, reason=prm.reason)


def account_for(user: str, password: str | None, server: str, expires_s: int) -> Any:
    """An account as a desk phone has it; without a password it never registers, as a trunk."""
    account = pj.AccountConfig()
    account.idUri = f"sip:{user}@{server.partition(':')[0]}"
    if password is not None:
        account.regConfig.registrarUri = f"sip:{server}"
        account.regConfig.timeoutSec = expires_s
        # A desk phone that lost its server comes back by itself, soon after the server does.
        account.regConfig.firstRetryIntervalSec = 1
        account.regConfig.retryIntervalSec = 3
        account.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
    # No address translation on a loopback: rewriting the Contact would register a phone twice.
    account.natConfig.contactRewriteUse = 0
    account.natConfig.viaRewriteUse = 0
    account.natConfig.sipOutboundUse = 0
    account.natConfig.udpKaIntervalSec = 0
    account.natConfig.iceEnabled = False
    account.videoConfig.autoShowIncoming = False
    return account


def message_of(prm: Any) -> str:
    """The SIP message behind a call's change of state, "" when a timer or we ourselves caused it."""
    event = prm.e
    if event.type == pj.PJSIP_EVENT_TSX_STATE and event.body.tsxState.type == pj.PJSIP_EVENT_RX_MSG:
        return str(event.body.tsxState.src.rdata.wholeMsg)
    return str(event.body.rxMsg.rdata.wholeMsg) if event.type == pj.PJSIP_EVENT_RX_MSG else ""


def headers_of(message: str) -> dict[str, str]:
    """Header fields of a SIP message by name as sent; of a repeated one, the first (RFC 3261, 7.3)."""
    headers: dict[str, str] = {}
    for line in message.partition("\r\n\r\n")[0].split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip(), value.strip())
    return headers


def header(message: str, name: str) -> str:
    return headers_of(message).get(name, "")


def party_of(address: str) -> tuple[str, str]:
    """Display name and user part of a From header: `"Ann" <sip:8001@host>;tag=1` → (`Ann`, `8001`)."""
    found = re.match(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^<"]*?))\s*<sips?:(?:([^@>]*)@)?', address)
    if found is None:
        return "", address.partition(":")[2].partition("@")[0]
    quoted, plain, user = found.groups()
    return re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain, user or ""


def now_ms() -> int:
    return time.time_ns() // 1_000_000
