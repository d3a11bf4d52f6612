"""A call as a phone sees it, on the asyncio side."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Protocol

from phones.errors import CallEnded, PhoneError
from phones.link import REPLY_S, Event

TONE_WINDOW_S = 0.2
SOUND_WINDOW_S = 0.1
# A tone of 160 ms, as the INFO says it was, and the pause behind it.
INFO_KEY_S = 0.25


class State(StrEnum):
    CALLING = "calling"  # INVITE sent, nothing but perhaps a 100 came back
    RINGING = "ringing"  # 18x sent or received
    CONNECTING = "connecting"  # 200 sent or received, ACK under way
    TALKING = "talking"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class EndOfCall:
    """How a call ended.

    `code` is the final SIP code (200 after a conversation), `reason` its phrase; `who` is `them` also when
    nobody answered; `cause` is the Reason header of their BYE or refusal (RFC 3326), "" without one.
    """

    code: int
    reason: str
    who: Literal["us", "them"]
    cause: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.reason}, by {self.who}"


class StationOfCall(Protocol):
    """What a call needs of the station it belongs to."""

    async def ask(self, verb: str, *, deadline_s: float = REPLY_S, **arguments: Any) -> dict[str, Any]: ...

    async def until(self, there: Callable[[], bool], *, timeout: float, waiting: Callable[[], str]) -> None: ...


class Call:
    """An outgoing call, or an incoming one with who is calling.

    Deadlines are in seconds; `at_ms` has the epoch milliseconds at which each state was first entered.
    Every command raises PhoneError when the library refuses it, every wait CallEnded or NotInTime.
    """

    def __init__(self, station: StationOfCall, number: int, phone: str, invite: Event) -> None:
        self._station = station
        self.number = number
        self.phone = phone
        self.state = State.RINGING if invite["event"] == "incoming" else State.CALLING
        self.caller_name: str = invite.get("caller_name", "")
        self.caller_number: str = invite.get("caller_number", "")
        self.dialled: str = invite.get("dialled", "")
        self.headers: dict[str, str] = invite.get("headers", {})
        self.digits = ""  # received from the far end
        self.at_ms: dict[State, int] = {self.state: invite["at_ms"]}
        self.end: EndOfCall | None = None

    def __str__(self) -> str:
        far_end = f"to {self.dialled}" if self.dialled else f"from {self.caller_name} {self.caller_number}"
        return f"call {self.number} of {self.phone} {far_end} ({self.state})"

    def heed(self, event: Event) -> None:
        """Takes a change that the worker reports."""
        if event["event"] == "digit":
            self.digits += event["digit"]
            return
        self.state = State(event["state"])
        self.at_ms.setdefault(self.state, event["at_ms"])
        if self.state is State.ENDED:
            self.end = EndOfCall(event["code"], event["reason"], event["who"], event["cause"])

    async def answer(self) -> None:
        """200 OK; returns when the far end acknowledged it."""
        await self._ask("answer", code=200)
        await self.answered()

    async def reject(self, code: int = 603) -> None:
        """Refuses an incoming call with that final code (RFC 3261, 21.4-21.6)."""
        await self._ask("answer", code=code)

    async def busy(self) -> None:
        await self.reject(486)

    async def forward(self, target: str) -> None:
        """Refuses an incoming call with 302 and says to try `target`, a sip: URI (RFC 3261, 21.3.3)."""
        await self._ask("forward", target=target)

    async def transfer(self, target: str) -> None:
        """Asks the far end to call `target`, a sip: URI, in our place (REFER, RFC 3515); whatever it answers."""
        await self._ask("transfer", target=target)

    async def hang_up(self) -> None:
        """BYE, CANCEL or a refusal, whichever the state asks for; nothing when the call has ended already."""
        if self.state is not State.ENDED:
            await self._ask("hang_up")

    async def press(self, digits: str) -> None:
        """Sends keys (0-9 * # A-D) as RFC 4733 events of 200 ms each; returns before they are all out."""
        await self._ask("press", digits=digits)

    async def press_by_info(self, digits: str) -> None:
        """Sends keys (0-9 * # A-D) as SIP INFO requests (application/dtmf-relay), each when a finger would be there."""
        for digit in digits:
            await self._ask("press_by_info", digits=digit)
            await asyncio.sleep(INFO_KEY_S)

    async def play_tone(self, hz: int) -> None:
        """Plays a sine into the call until told otherwise; set before the answer it starts with the audio."""
        await self._ask("tone", hz=hz)

    async def stop_tone(self) -> None:
        await self._ask("tone", hz=0)

    async def record(self, path: Path) -> None:
        """Writes what is heard from now on to a WAV file, complete once the call has ended."""
        await self._ask("record", path=str(path))

    async def hears(self, hz: int, *, within: float) -> bool:
        """True as soon as `hz` dominates 200 ms of what is heard, False if it does not happen in time."""
        return await self._listen("tone", hz, lasting=TONE_WINDOW_S, within=within)

    async def hears_something(self, *, within: float) -> bool:
        """True as soon as 100 ms louder than a line's idle noise are heard: a prompt, music, a voice."""
        return await self._listen("sound", 0, lasting=SOUND_WINDOW_S, within=within)

    async def hears_silence(self, *, lasting: float, within: float) -> bool:
        """True as soon as `lasting` seconds (up to 10) in a row were silent on the whole."""
        return await self._listen("silence", 0, lasting=lasting, within=within)

    async def rings(self, *, timeout: float = 10.0) -> None:
        """Waits until the far end rings (18x); an answer counts too."""
        await self._until(lambda: not self.at_ms.keys().isdisjoint({State.RINGING, State.TALKING}), "rings", timeout)

    async def answered(self, *, timeout: float = 10.0) -> None:
        """Waits for the answer."""
        await self._until(lambda: State.TALKING in self.at_ms, "is answered", timeout)

    async def received(self, digits: str, *, timeout: float = 10.0) -> None:
        """Waits until the far end has sent these keys, after whatever it sent before."""
        await self._until(lambda: self.digits.endswith(digits), f"receives {digits}", timeout)

    async def ended(self, *, timeout: float = 10.0) -> EndOfCall:
        """Waits for the end of the call, however it comes."""
        await self._station.until(lambda: self.end is not None, timeout=timeout, waiting=lambda: f"for {self} to end")
        assert self.end is not None  # noqa: S101 - the line above waited for it
        return self.end

    async def _until(self, there: Callable[[], bool], what: str, timeout: float) -> None:
        await self._station.until(
            lambda: there() or self.end is not None, timeout=timeout, waiting=lambda: f"until {self} {what}"
        )
        if not there():
            raise CallEnded(str(self), what, self.end)

    async def _listen(self, what: str, hz: int, *, lasting: float, within: float) -> bool:
        reply = await self._ask(
            "listen", what=what, hz=hz, lasting_s=lasting, within_s=within, deadline_s=within + REPLY_S
        )
        return bool(reply["heard"])

    async def _ask(self, verb: str, *, deadline_s: float = REPLY_S, **arguments: Any) -> dict[str, Any]:
        try:
            return await self._station.ask(verb, deadline_s=deadline_s, call=self.number, **arguments)
        except PhoneError as failure:
            raise type(failure)(f"{self}: {failure}") from failure
