"""One worker process, its SIP socket and its calls, as asyncio sees them; its events wake whoever waits."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from phones.call import Call, State
from phones.errors import NotInTime, RegistrationFailed, WorkerDied
from phones.link import REPLY_S, Event, Link

# PJSUA_MAX_CALLS as the wheel of pjsua2 was built: the fifth call would be refused.
MAX_CALLS = 4


class Station:
    """Owns its worker: `open` starts it, `close` ends it with everything in it."""

    def __init__(self, name: str, server: str, on_ringing: Callable[[Call], None]) -> None:
        self.address = ""  # of its socket, host:port
        self._name = name
        self._server = server
        self._on_ringing = on_ringing
        self._link = Link(self._heed)
        self._calls: dict[int, Call] = {}
        self._last_registration: Event | None = None
        self._changed = asyncio.Event()

    def __str__(self) -> str:
        return f"{self._name} ({self.address})"

    async def open(
        self,
        *,
        user: str,
        bind: str,
        port: int = 0,
        password: str | None = None,
        expires_s: int = 0,
        log: Path | None = None,
    ) -> None:
        """Binds the socket and, with a password, sends the REGISTER. Raises PhoneError, leaving nothing."""
        await self._link.open(log)
        try:
            opened = await self.ask(
                "open",
                user=user,
                password=password,
                server=self._server,
                bind=bind,
                port=port,
                expires_s=expires_s,
            )
        except BaseException:
            await self.close()
            raise
        self.address = opened["address"]

    async def close(self) -> None:
        await self._link.close()

    def freeze(self) -> None:
        self._link.freeze()

    @property
    def registered(self) -> bool:
        return self._last_registration is not None and bool(self._last_registration["registered"])

    async def register(self, *, timeout: float) -> None:
        """Waits for the registrar's verdict. Raises RegistrationFailed."""
        try:
            await self.until(
                lambda: self._last_registration is not None, timeout=timeout, waiting=lambda: f"for {self}"
            )
        except NotInTime:
            raise RegistrationFailed(str(self), 408, f"no answer within {timeout:g} s") from None
        if not self.registered:
            last = self._last_registration or {}
            raise RegistrationFailed(str(self), last["code"], last["reason"])

    async def unregister(self, *, timeout: float) -> None:
        await self.ask("unregister")
        await self.until(lambda: not self.registered, timeout=timeout, waiting=lambda: f"for {self} to be unregistered")

    @property
    def is_full(self) -> bool:
        return sum(call.end is None for call in self._calls.values()) >= MAX_CALLS

    async def call(self, number: str, caller: str, headers: Mapping[str, str]) -> Call:
        uri = number if number.startswith("sip:") else f"sip:{number}@{self._server}"
        placed = await self.ask("call", uri=uri, caller=caller, headers=dict(headers))
        return self._calls[placed["call"]]

    async def ask(self, verb: str, *, deadline_s: float = REPLY_S, **arguments: Any) -> dict[str, Any]:
        return await self._link.ask(verb, deadline_s=deadline_s, **arguments)

    def answer_later(self, call: Call, seconds: float) -> None:
        """Answers then if it still rings; a refusal by the library shows as the call not being answered."""

        def answer() -> None:
            if call.state is State.RINGING:
                self._link.post("answer", call=call.number, code=200)

        asyncio.get_running_loop().call_later(seconds, answer)

    async def until(self, there: Callable[[], bool], *, timeout: float, waiting: Callable[[], str]) -> None:
        """Waits for a condition that events bring about. Raises NotInTime, WorkerDied."""
        try:
            async with asyncio.timeout(timeout):
                while not there():
                    if self._link.died:
                        raise WorkerDied(f"waited {waiting()}, but {self._link.died}")
                    await self._changed.wait()
        except TimeoutError:
            raise NotInTime(f"waited {timeout:g} s {waiting()}") from None

    def _heed(self, event: Event) -> None:
        match event["event"]:
            case "incoming" | "outgoing" as direction:
                call = self._calls[event["call"]] = Call(self, event["call"], str(self), event)
                if direction == "incoming":
                    self._on_ringing(call)
            case "state" | "digit":
                self._calls[event["call"]].heed(event)
            case "registration":
                self._last_registration = event
        # A pulse: everyone who waits looks again, nobody who comes later is woken by it.
        self._changed.set()
        self._changed.clear()
