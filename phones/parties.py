"""The people at the other end of the hotline's lines: agents' phones and the carrier."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self

from phones.call import Call, State
from phones.station import Station


class Line:
    """What a phone and a carrier have in common: calls ring there."""

    def __init__(self, name: str, server: str) -> None:
        self.received: list[Call] = []  # every call that ever rang here, oldest first
        self._station = Station(name, server, self._rung)
        self._handed_out = 0
        self._auto_answer_s: float | None = None

    def __str__(self) -> str:
        return str(self._station)

    @property
    def address(self) -> str:
        """host:port of its SIP socket."""
        return self._station.address

    async def ringing(self, *, timeout: float = 10.0) -> Call:
        """The next call that rings here; each is given out once, and never after it has ended."""
        await self._station.until(
            lambda: self._next_ringing() is not None,
            timeout=timeout,
            waiting=lambda: f"for a call to ring at {self}, which has had {len(self.received)}",
        )
        call = self.received[self._handed_out]
        self._handed_out += 1
        return call

    def auto_answer(self, *, after_s: float | None) -> None:
        """From now on answers by itself, that many seconds after it begins to ring; None = not any more."""
        self._auto_answer_s = after_s

    async def refuse_all(self, code: int = 486) -> None:
        """From now on refuses every call with that final code, and does not ring before: a do-not-disturb key."""
        await self._station.ask("first_word", code=code)

    def vanish(self) -> None:
        """The phone loses its power: it sends, answers and refuses nothing any more, SIP and audio alike.

        The registrar keeps its registration. What is asked of the phone or its calls after this fails.
        """
        self._station.freeze()

    def _next_ringing(self) -> Call | None:
        while self._handed_out < len(self.received):
            if (call := self.received[self._handed_out]).state is not State.ENDED:
                return call
            self._handed_out += 1
        return None

    def _rung(self, call: Call) -> None:
        self.received.append(call)
        if self._auto_answer_s is not None:
            self._station.answer_later(call, self._auto_answer_s)


class Phone(Line):
    """An agent's SIP phone, registered."""

    async def open(
        self, name: str, password: str, bind: str, port: int, expires_s: int, timeout: float, log: Path | None
    ) -> None:
        await self._station.open(user=name, password=password, bind=bind, port=port, expires_s=expires_s, log=log)
        await self._station.register(timeout=timeout)

    @property
    def registered(self) -> bool:
        return self._station.registered

    async def call(self, number: str, *, headers: Mapping[str, str] | None = None) -> Call:
        """Dials a number (or a sip: URI); returns once the INVITE is out."""
        return await self._station.call(number, "", headers or {})

    async def unregister(self, *, timeout: float = 10.0) -> None:
        """Logs off and puts the phone away; `Phones.phone` gives a new one. Raises NotInTime."""
        await self._station.unregister(timeout=timeout)
        await self.close()

    async def close(self) -> None:
        """Hangs up, unregisters, frees everything; idempotent."""
        await self._station.close()


class Carrier(Line):
    """A trunk: calls with any caller's number, never registers, known to Asterisk by its IP address.

    As many calls at once as it likes: four share a socket and a worker, more open another.
    """

    def __init__(self, server: str, bind: str, log: Path | None) -> None:
        super().__init__("carrier", server)
        self._server = server
        self._bind = bind
        self._log = log
        self._more: list[Station] = []
        self._placing = asyncio.Lock()  # whoever finds a free station uses it before the next one looks

    async def open(self, port: int) -> None:
        await self._station.open(user="carrier", bind=self._bind, port=port, log=self._log)

    async def call(
        self, number: str, *, caller: str, display: str = "", headers: Mapping[str, str] | None = None
    ) -> Call:
        """INVITE to `number`, From: `"display" <sip:caller@carrier>`; returns once it is out.

        A `caller` with an @ stands as it is: `anonymous@anonymous.invalid` with `headers={"Privacy": "id"}`
        is how RFC 3323 withholds a number.
        """
        async with self._placing:
            station = await self._free_station()
            uri = caller if "@" in caller else f"{caller}@{station.address}"
            escaped = display.replace("\\", r"\\").replace('"', r"\"")
            address = f'"{escaped}" <sip:{uri}>' if display else f"<sip:{uri}>"
            return await station.call(number, address, headers or {})

    async def close(self) -> None:
        """Hangs up, frees everything; idempotent."""
        for station in [self._station, *self._more]:
            await station.close()

    async def _free_station(self) -> Station:
        for station in [self._station, *self._more]:
            if not station.is_full:
                return station
        station = Station("carrier", self._server, self._rung)
        self._more.append(station)
        await station.open(user="carrier", bind=self._bind, log=self._log)
        return station


class Phones:
    """All phones of one test, demo or trial."""

    def __init__(self, sip_server: str, logs: Path | None, ends: AsyncExitStack) -> None:
        self._server = sip_server
        self._logs = logs
        self._ends = ends

    @classmethod
    @asynccontextmanager
    async def start(cls, sip_server: str = "127.0.0.1:5060", *, logs: Path | None = None) -> AsyncGenerator[Self]:
        """Phones that speak SIP over UDP with `sip_server`; whatever happens inside, they end with the block.

        Calls are hung up and registrations taken back. Each phone appends its SIP messages to a file of its
        name in the folder `logs`.
        """
        async with AsyncExitStack() as ends:
            yield cls(sip_server, logs, ends)

    async def phone(
        self,
        name: str,
        *,
        password: str,
        bind: str = "127.0.0.3",
        port: int = 0,
        expires_s: int = 300,
        timeout: float = 10.0,
    ) -> Phone:
        """A phone, registered by digest.

        Raises RegistrationFailed with the SIP code: 401 for a wrong password, 408 when nobody answered.
        """
        phone = Phone(f"phone {name}", self._server)
        self._ends.push_async_callback(phone.close)
        try:
            await phone.open(name, password, bind, port, expires_s, timeout, self._log(name))
        except BaseException:
            await phone.close()
            raise
        return phone

    async def carrier(self, *, bind: str = "127.0.0.2", port: int = 0) -> Carrier:
        """A carrier's trunk at that address (port 0 = any)."""
        carrier = Carrier(self._server, bind, self._log("carrier"))
        self._ends.push_async_callback(carrier.close)
        await carrier.open(port)
        return carrier

    def _log(self, name: str) -> Path | None:
        return self._logs / f"{name}.log" if self._logs else None
