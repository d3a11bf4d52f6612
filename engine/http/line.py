"""One question over HTTP and its answer, within one deadline, and never more of them than the other side bears.

The deadline covers everything: the wait for a free place, connecting, one repetition, reading. Redirects are not
followed and nothing is unpacked: what is asked, and how much is read, is what was written here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import aiohttp
from yarl import URL

from engine.http.addresses import PrivateAddress, PublicOnly
from engine.http.breaker import Breaker

MAX_ANSWER = 64 * 1024  # bytes
IN_FLIGHT = 32


class Silence(StrEnum):
    """Why there is no answer."""

    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    INVALID = "invalid"


class NoAnswer(Exception):  # noqa: N818 - for whoever asked it is one of the outcomes
    """`detail` says for the timeline what happened; it quotes nothing of what was sent or received."""

    def __init__(self, silence: Silence, detail: str) -> None:
        super().__init__(detail)
        self.silence = silence
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer: any status but 5xx and 429, which are a server that cannot answer now."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """In UTF-8 or, from older Chinese systems, GBK."""
        try:
            return self.body.decode("utf-8-sig")
        except UnicodeDecodeError:
            return self.body.decode("gb18030", errors="replace")


@dataclass(frozen=True, slots=True)
class _Host:
    """A host that is slow or dead is so for itself alone."""

    breaker: Breaker
    places: asyncio.Semaphore


class HttpLine:
    """One pool of connections; `open` it before the first question, `close` gives it back.

    `in_flight`: questions to one host at once; further ones wait, within their deadline. `public_only`: a name that
    leads to a private address is refused (engine/http/addresses.py).
    """

    def __init__(
        self, *, in_flight: int = IN_FLIGHT, public_only: bool = False, breaker: Callable[[], Breaker] = Breaker
    ) -> None:
        self._in_flight = in_flight
        self._public_only = public_only
        self._breaker = breaker
        self._hosts: dict[str, _Host] = {}
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """To be called on the event loop that asks."""
        resolver = PublicOnly() if self._public_only else None
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30, ttl_dns_cache=60, resolver=resolver),
            timeout=aiohttp.ClientTimeout(total=None),  # `ask` has the one deadline
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # the size cap must mean what is held in memory
            headers={"Accept-Encoding": "identity", "User-Agent": "hotline"},
        )

    async def close(self) -> None:
        """Ends what is under way."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(
        self, method: str, url: URL, *, headers: Mapping[str, str], body: bytes | None = None, deadline_s: float
    ) -> Heard:
        """The answer within `deadline_s` seconds. Raises NoAnswer.

        A connection that breaks is tried once more: what must not be done twice carries an `Idempotency-Key`.
        """
        host = self._host(url)
        ticket = host.breaker.admit()
        if ticket is None:
            raise NoAnswer(Silence.UNAVAILABLE, "circuit breaker open")
        try:
            async with asyncio.timeout(deadline_s), host.places:
                heard = await self._exchange(method, url, headers, body)
        except BaseException as error:
            failure = _no_answer(error, deadline_s)
            if failure is None:
                host.breaker.abandoned(ticket)
                raise
            if failure.silence is Silence.INVALID:  # nonsense, which no pause would spare anybody
                host.breaker.succeeded(ticket)
            else:
                host.breaker.failed(ticket)
            raise failure from None
        host.breaker.succeeded(ticket)
        return heard

    def _host(self, url: URL) -> _Host:
        origin = str(url.origin())
        if origin not in self._hosts:
            self._hosts[origin] = _Host(self._breaker(), asyncio.Semaphore(self._in_flight))
        return self._hosts[origin]

    async def _exchange(self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None) -> Heard:
        try:
            return await self._once(method, url, headers, body)
        except aiohttp.ClientConnectorError:
            raise
        except aiohttp.ClientConnectionError:  # a kept-alive connection was closed just as it was used
            return await self._once(method, url, headers, body)

    async def _once(self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None) -> Heard:
        if self._session is None:
            raise RuntimeError("the line is not open")
        async with self._session.request(method, url, data=body, headers=headers, allow_redirects=False) as response:
            if response.status >= 500 or response.status == 429:
                raise NoAnswer(Silence.UNAVAILABLE, f"HTTP {response.status}")
            answer = bytearray()
            async for chunk in response.content.iter_any():
                answer += chunk
                if len(answer) > MAX_ANSWER:
                    response.close()
                    raise NoAnswer(Silence.INVALID, f"answer longer than {MAX_ANSWER} bytes")
            return Heard(response.status, bytes(answer))


def _no_answer(error: BaseException, deadline_s: float) -> NoAnswer | None:
    """What an exception means for whoever asked; None for what is no fault of the other side."""
    match error:
        case NoAnswer():
            return error
        case TimeoutError():
            return NoAnswer(Silence.TIMEOUT, f"no answer within {deadline_s:g} s")
        case aiohttp.ClientConnectorDNSError(os_error=PrivateAddress() as private):
            return NoAnswer(Silence.INVALID, str(private))
        case aiohttp.ClientConnectorError(os_error=OSError(strerror=str(why))):
            return NoAnswer(Silence.UNAVAILABLE, why)
        case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError():
            return NoAnswer(Silence.UNAVAILABLE, type(error).__name__)
        case aiohttp.ClientError():
            return NoAnswer(Silence.INVALID, type(error).__name__)
    return None
