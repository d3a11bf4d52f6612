"""Asks the company's identity endpoint who a caller is, and never lets a caller suffer for its faults.

One deadline covers everything: the wait for a free connection, connecting, one repetition, reading. The
breaker keeps callers from waiting for an endpoint that is known to be down.
"""

import asyncio
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
import structlog
from pydantic import ValidationError
from yarl import URL

from engine.identity.breaker import Breaker
from engine.identity.contract import CallerFacts, Customer, Member, Outcome, Reply, Request, Route, Value
from engine.identity.numbers import Caller

log = structlog.get_logger(__name__)

MAX_ANSWER = 64 * 1024  # bytes
TIMESTAMP_HEADER = "X-Hotline-Timestamp"
SIGNATURE_HEADER = "X-Hotline-Signature"


@dataclass(frozen=True, slots=True)
class Answer:
    """`ms`: how long the caller waited for it. `detail`: for the timeline, why there was no plain answer."""

    outcome: Outcome
    customer: Customer | None = None
    route: Route | None = None
    variables: dict[str, Value] = field(default_factory=dict)
    ms: int = 0
    cached: bool = False
    detail: str = ""


class NoIdentity:
    """For a hotline without an identity endpoint: nobody is known."""

    async def look_up(
        self,
        caller: Caller,
        *,
        dialled: str,
        call_id: str,
        variables: Mapping[str, Value],
        member: Member | None = None,
    ) -> Answer:
        return Answer(Outcome.NOT_FOUND, detail="no identity endpoint configured")


class _EndpointError(Exception):
    """The endpoint broke the contract, or is not there."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        self.outcome = outcome
        self.detail = detail


class Identity:
    """Open it before the first look-up; it owns one pool of connections, which `close` gives back.

    `deadline_s`: the most that one look-up may take, in seconds. `concurrency`: requests in flight at once;
    further ones wait, within their deadline. Raises ValueError for an unusable URL or an empty secret.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        deadline_s: float = 1.5,
        concurrency: int = 32,
        breaker: Breaker | None = None,
    ) -> None:
        self._url = URL(url)
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise ValueError(f"identity url must be http(s)://host/…, not {url!r}")
        if not secret:
            raise ValueError("the identity endpoint's secret is empty")
        self._secret = secret.encode()
        self._deadline_s = deadline_s
        self._free = asyncio.Semaphore(concurrency)
        self.breaker = breaker or Breaker()
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30, ttl_dns_cache=60),
            timeout=aiohttp.ClientTimeout(total=None),  # look_up has the one deadline
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # the size cap must mean what is held in memory
            headers={
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": "hotline",
            },
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def look_up(
        self,
        caller: Caller,
        *,
        dialled: str,
        call_id: str,
        variables: Mapping[str, Value],
        member: Member | None = None,
    ) -> Answer:
        """Who the caller is: by number, or by what they keyed in. Raises for no fault of the endpoint.

        A caller without a number is not asked about: "" would match whoever has no number in the CRM.
        """
        if not caller.number and member is None:
            return Answer(Outcome.NOT_FOUND, detail="no caller number")
        began = time.perf_counter()
        ticket = self.breaker.admit()
        if ticket is None:
            return Answer(Outcome.UNAVAILABLE, detail="circuit breaker open")
        reply: Reply | None = None
        try:
            async with asyncio.timeout(self._deadline_s):
                reply = await self._exchange(caller, dialled, call_id, variables, member)
            outcome, detail = Outcome(reply.status), ""
        except TimeoutError:
            outcome, detail = Outcome.TIMEOUT, f"no answer within {self._deadline_s:g} s"
        except _EndpointError as fault:
            outcome, detail = fault.outcome, fault.detail
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            outcome, detail = Outcome.UNAVAILABLE, type(error).__name__
        except aiohttp.ClientError as error:
            outcome, detail = Outcome.INVALID, type(error).__name__
        except BaseException:
            self.breaker.abandoned(ticket)
            raise
        if outcome in (Outcome.TIMEOUT, Outcome.UNAVAILABLE):
            self.breaker.failed(ticket)
        else:  # nonsense is the endpoint's fault too, but not one that pausing would spare anybody
            self.breaker.succeeded(ticket)
        ms = round((time.perf_counter() - began) * 1000)
        if reply is None:
            log.warning("identity.failed", call_id=call_id, outcome=outcome.value, detail=detail, ms=ms)
            return Answer(outcome, ms=ms, detail=detail)
        return Answer(outcome, reply.customer, reply.route, reply.variables, ms)

    async def _exchange(
        self,
        caller: Caller,
        dialled: str,
        call_id: str,
        variables: Mapping[str, Value],
        member: Member | None,
    ) -> Reply:
        timestamp = time.time_ns() // 1_000_000
        request = Request(
            call_id=call_id,
            event="member" if member else "caller",
            caller=CallerFacts(
                number=caller.number,
                presentation=caller.presentation,
                area=caller.area,
                carrier=caller.carrier,
            ),
            dialled=dialled,
            member=member,
            variables=variables,
            timestamp=timestamp,
        )
        body = request.model_dump_json(exclude_none=True).encode()
        headers = {
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: "sha256=" + sign(self._secret, timestamp, body),
            "Idempotency-Key": self._idempotency_key(call_id, member),
        }
        async with self._free:
            try:
                return await self._post(body, headers)
            except aiohttp.ClientConnectorError:
                raise
            except aiohttp.ClientConnectionError:
                # The endpoint closed a kept-alive connection just as it was used. The idempotency key
                # makes it safe to say the same again.
                return await self._post(body, headers)

    async def _post(self, body: bytes, headers: dict[str, str]) -> Reply:
        if self._session is None:
            raise RuntimeError("Identity is not open")
        async with self._session.post(self._url, data=body, headers=headers, allow_redirects=False) as response:
            if response.status >= 500 or response.status == 429:
                raise _EndpointError(Outcome.UNAVAILABLE, f"HTTP {response.status}")
            # 404 with a well-formed answer is how REST frameworks say "not_found".
            if not (200 <= response.status < 300 or response.status == 404):
                raise _EndpointError(Outcome.INVALID, f"HTTP {response.status}")
            answer = bytearray()
            async for chunk in response.content.iter_any():
                answer += chunk
                if len(answer) > MAX_ANSWER:
                    response.close()
                    raise _EndpointError(Outcome.INVALID, f"answer longer than {MAX_ANSWER} bytes")
        return read_reply(bytes(answer))

    def _idempotency_key(self, call_id: str, member: Member | None) -> str:
        """The same for the same question, so that asking again after a crash counts once; a second try of a
        PIN is another question. Keyed, because a short PIN could be guessed from a plain hash."""
        if member is None:
            return call_id
        keyed = hmac.digest(self._secret, f"{member.id}\n{member.pin}".encode(), "sha256")
        return f"{call_id}-{keyed.hex()[:16]}"


def sign(secret: bytes, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 (RFC 2104) in hex over the timestamp's digits, ".", and the body as sent."""
    return hmac.digest(secret, b"%d." % timestamp + body, "sha256").hex()


def read_reply(body: bytes) -> Reply:
    """The answer in UTF-8 or, from older Chinese systems, GBK.

    Raises _EndpointError, whose text quotes no customer's data.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("gb18030", errors="replace")
    try:
        return Reply.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(ascii(part)[:64].strip("'") for part in first["loc"]) or "answer"
        raise _EndpointError(Outcome.INVALID, f"{place}: {first['msg']}") from None
