"""The process that holds pjsua2 and one SIP account: JSON lines in on stdin, replies and events on stdout.

    {"id": 7, "do": "press", "call": 3, "digits": "1"}  →  {"id": 7, "result": {}} or {"id": 7, "error": "…"}
    {"event": "state", "call": 3, "state": "talking", "code": 200, "at_ms": …}

One thread does everything: `threadCnt = 0` and `mainThreadOnly` make pjsua2 2.15.1 call back only from inside
`libHandleEvents`, so no callback meets a command half-way, no foreign thread needs registering, and a call
object is never deleted under a callback that still uses it. RTP and the bridge's clock keep their own threads
in C. The end of stdin is the end of the phone: its calls are hung up, its registration taken back.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO

import pjsua2 as pj

from phones.listening import Listening
from phones.softphone import (
    Account,
    Ear,
    Leg,
    Mouth,
    account_for,
    header,
    headers_of,
    now_ms,
    party_of,
)

POLL_MS = 10
FAREWELL_S = 1.5
INFO_TONE_MS = 160
# Alaw first, as on the trunks of the country this hotline answers in.
CODECS = {"PCMA/8000/1": 255, "PCMU/8000/1": 254}

Result = dict[str, Any]


class Worker:
    def __init__(self, out: BinaryIO, *, log_level: int) -> None:
        self._out = out
        self._commands: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._closing = False
        self._numbers = 0
        self._first_word = 180
        self._legs: dict[int, Leg] = {}
        self._listening: dict[int, Listening] = {}  # by the request it will reply to
        # Ears and mouths are handed on, never deleted while the bridge runs: it lets go of a removed port on
        # its own thread, later, and would call into an object that is gone.
        self._spare: list[tuple[Ear, Mouth]] = []
        self._endpoint = self._start(log_level)
        self._account = Account(self.report, self._take_call)

    def _start(self, log_level: int) -> Any:
        endpoint = pj.Endpoint()
        endpoint.libCreate()
        config = pj.EpConfig()
        config.logConfig.level = config.logConfig.consoleLevel = log_level
        config.logConfig.msgLogging = log_level
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.userAgent = "hotline-phones"
        config.medConfig.clockRate = config.medConfig.sndClockRate = 8000
        config.medConfig.noVad = True
        config.medConfig.ecTailLen = 0
        endpoint.libInit(config)
        endpoint.audDevManager().setNullDev()
        endpoint.libStart()
        for codec in endpoint.codecEnum2():
            endpoint.codecSetPriority(codec.codecId, CODECS.get(codec.codecId, 0))
        return endpoint

    def run(self, commands: BinaryIO) -> None:
        threading.Thread(target=self._read, args=(commands,), daemon=True).start()
        self.report("ready")
        while not self._closing:
            self._turn()
        self._say_goodbye()

    def close(self, *_signal: object) -> None:
        self._closing = True

    def _turn(self) -> None:
        self._endpoint.libHandleEvents(POLL_MS)
        while not self._commands.empty():
            self._obey(self._commands.get())
        self._listen()
        self._bury()

    def _read(self, commands: BinaryIO) -> None:
        for line in commands:
            self._commands.put(line)
        self._closing = True

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._out.write(json.dumps(message).encode() + b"\n")
            self._out.flush()
        except BrokenPipeError:
            self._closing = True

    def report(self, event: str, **facts: Any) -> None:
        self._send({"event": event, "at_ms": now_ms(), **facts})

    def _obey(self, line: bytes) -> None:
        command = json.loads(line)
        number, verb = command.pop("id"), command.pop("do")
        try:
            result = VERBS[verb](self, **command)
        except pj.Error as failure:
            self._send({"id": number, "error": f"{failure.reason} ({failure.title})"})
        except LookupError as failure:
            self._send({"id": number, "error": str(failure.args[0])})
        else:
            if isinstance(result, Listening):
                self._listening[number] = result
            else:
                self._send({"id": number, "result": result or {}})

    def open(self, user: str, password: str | None, server: str, bind: str, port: int, expires_s: int) -> Result:
        transport = pj.TransportConfig()
        transport.boundAddress, transport.port = bind, port
        config = account_for(user, password, server, expires_s)
        config.sipConfig.transportId = self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        config.mediaConfig.transportConfig.boundAddress = bind
        self._account.create(config)
        return {"address": self._endpoint.transportGetInfo(config.sipConfig.transportId).localName}

    def unregister(self) -> None:
        self._account.setRegistration(False)

    def _new_leg(self, call_id: int = -1) -> Leg:
        ear, mouth = self._spare.pop() if self._spare else (Ear(), Mouth())
        self._numbers += 1
        leg = Leg(self._account, self._numbers, ear, mouth, call_id)
        self._legs[leg.number] = leg
        return leg

    def _leg(self, call: int) -> Leg:
        if call not in self._legs:
            raise LookupError("this call has ended")
        return self._legs[call]

    def _take_call(self, call_id: int, invite: str) -> None:
        leg = self._new_leg(call_id)
        name, number = party_of(header(invite, "From"))
        self.report(
            "incoming",
            call=leg.number,
            caller_name=name,
            caller_number=number,
            headers=headers_of(invite),
        )
        leg.respond(self._first_word)

    def call(self, uri: str, caller: str, headers: dict[str, str]) -> Result:
        prm = pj.CallOpParam(True)
        prm.opt.audioCount, prm.opt.videoCount = 1, 0
        prm.txOption.localUri = caller
        for name, value in headers.items():
            field = pj.SipHeader()
            field.hName, field.hValue = name, value
            prm.txOption.headers.append(field)
        leg = self._new_leg()
        self.report("outgoing", call=leg.number, dialled=uri)
        try:
            leg.makeCall(uri, prm)
        except pj.Error:
            leg.ended = True
            raise
        return {"call": leg.number}

    def answer(self, call: int, code: int) -> None:
        self._leg(call).respond(code)

    def first_word(self, code: int) -> None:
        self._first_word = code

    def forward(self, call: int, target: str) -> None:
        self._leg(call).forward(target)

    def transfer(self, call: int, target: str) -> None:
        self._leg(call).xfer(target, pj.CallOpParam())

    def hang_up(self, call: int) -> None:
        if call in self._legs:
            self._legs[call].hang_up()

    def press(self, call: int, digits: str) -> None:
        self._leg(call).dialDtmf(digits)

    def press_by_info(self, call: int, digits: str) -> None:
        keys = pj.CallSendDtmfParam()
        keys.digits, keys.method, keys.duration = digits, pj.PJSUA_DTMF_METHOD_SIP_INFO, INFO_TONE_MS
        self._leg(call).sendDtmf(keys)

    def tone(self, call: int, hz: int) -> None:
        self._leg(call).tone(hz)

    def record(self, call: int, path: str) -> None:
        self._leg(call).record(path)

    def listen(self, call: int, what: str, hz: int, lasting_s: float, within_s: float) -> Listening:
        return Listening(self._leg(call), what, hz, lasting_s, time.monotonic() + within_s)

    def _listen(self) -> None:
        for request, listening in list(self._listening.items()):
            verdict = listening.verdict()
            if verdict is not None:
                del self._listening[request]
                self._send({"id": request, "result": {"heard": verdict}})

    def _bury(self) -> None:
        """Deletes ended calls here, outside any callback of theirs."""
        for number, leg in list(self._legs.items()):
            if leg.ended and not any(listening.leg is leg for listening in self._listening.values()):
                del self._legs[number]
                self._spare.append((leg.ear, leg.mouth))

    def _say_goodbye(self) -> None:
        """Calls first (pjlib asserts on a call alive in libDestroy), then registrations, then the library."""
        for leg in self._legs.values():
            leg.hang_up()
        self._turn_until(lambda: not self._legs)
        if self._account.registered:
            self._account.setRegistration(False)
            self._turn_until(lambda: not self._account.registered)

    def _turn_until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + FAREWELL_S
        while not done() and time.monotonic() < deadline:
            self._turn()

    def destroy(self) -> None:
        self._account.shutdown()
        self._legs.clear()
        self._endpoint.audDevManager().setNoDev()
        self._spare.clear()
        self._endpoint.libDestroy(pj.PJSUA_DESTROY_NO_TX_MSG | pj.PJSUA_DESTROY_NO_RX_MSG)


VERBS: dict[str, Callable[..., Result | Listening | None]] = {
    "open": Worker.open,
    "unregister": Worker.unregister,
    "call": Worker.call,
    "answer": Worker.answer,
    "first_word": Worker.first_word,
    "forward": Worker.forward,
    "transfer": Worker.transfer,
    "hang_up": Worker.hang_up,
    "press": Worker.press,
    "press_by_info": Worker.press_by_info,
    "tone": Worker.tone,
    "record": Worker.record,
    "listen": Worker.listen,
}


def main() -> None:
    level = int(sys.argv[1])
    # pjlib logs to descriptor 1, some of it before it can be told not to: the protocol moves to another one.
    protocol = os.fdopen(os.dup(1), "wb")
    os.dup2(2 if level else os.open(os.devnull, os.O_WRONLY), 1)
    # Ctrl-C reaches the whole terminal; the phones end when their owner does, which closes stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker(protocol, log_level=level)
    signal.signal(signal.SIGTERM, worker.close)
    worker.run(sys.stdin.buffer)
    worker.destroy()


if __name__ == "__main__":
    main()
