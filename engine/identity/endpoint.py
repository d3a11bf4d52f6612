"""Asks the company's identity endpoint who a caller is, and never lets a caller suffer for its faults.

How long it may take, how often it is asked and when it is spared is engine/http/line.py's; what it must answer is
contract.py's.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import structlog
from pydantic import ValidationError
from yarl import URL

from engine.http.breaker import Breaker
from engine.http.line import IN_FLIGHT, Heard, HttpLine, NoAnswer, Silence
from engine.http.signature import REQUEST_HEADER, now_ms, signed
from engine.identity.answers import Answers
from engine.identity.contract import CallerFacts, Customer, Member, Outcome, Reply, Request, Route, Value
from engine.identity.numbers import Caller

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """`ms`: how long the caller waited for it. `detail`: for the timeline, why there was no plain answer."""

    outcome: Outcome
    customer: Customer | None = None
    route: Route | None = None
    variables: Mapping[str, Value] = field(default_factory=dict)
    ms: int = 0
    cached: bool = False
    detail: str = ""


class NoIdentity:
    """For a hotline without an identity endpoint: nobody is known."""

    async def open(self) -> None:
        """Nobody to connect to."""

    async def close(self) -> None:
        """Nothing is under way."""

    async def look_up(
        self,
        caller: Caller,
        *,
        dialled: str,
        call_id: str,
        variables: Mapping[str, Value],
        member: Member | None = None,
    ) -> Answer:
        """Not found."""
        return Answer(Outcome.NOT_FOUND, detail="no identity endpoint configured")


class Identity:
    """Open it before the first look-up; it owns one pool of connections, which `close` gives back.

    `deadline_s`: the most that one look-up may take, in seconds. `in_flight`: requests at once; further ones wait,
    within their deadline. `fresh_s`: how long an answer about a number may be given again. Raises ValueError for an
    unusable URL or an empty secret.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        deadline_s: float = 1.5,
        in_flight: int = IN_FLIGHT,
        fresh_s: float = 0.0,
        breaker: Breaker | None = None,
        line: HttpLine | None = None,
    ) -> None:
        self._url = URL(url)
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise ValueError(f"identity url must be http(s)://host/…, not {url!r}")
        if not secret:
            raise ValueError("the identity endpoint's secret is empty")
        self._secret = secret.encode()
        self._deadline_s = deadline_s
        self._answers: Answers[Answer] = Answers(fresh_s)
        self.breaker = breaker or Breaker()
        self.line = line or HttpLine(in_flight=in_flight, breaker=lambda: self.breaker)

    async def open(self) -> None:
        """To be called on the event loop that asks."""
        await self.line.open()

    async def close(self) -> None:
        """Ends what is under way."""
        await self.line.close()

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
        question = Request(
            call_id=call_id,
            event="member" if member else "caller",
            caller=CallerFacts(
                number=caller.number, presentation=caller.presentation, area=caller.area, carrier=caller.carrier
            ),
            dialled=dialled,
            member=member,
            variables=variables,
            timestamp=now_ms(),
        )
        # What a member proves is proved anew each time; an answer about a number is the same for a while.
        about = question.model_dump_json(exclude={"call_id", "timestamp"}) if member is None else None
        if about and (known := self._answers.get(about)):
            return replace(known, cached=True, ms=0)
        answer = await self._ask(question)
        if about and answer.outcome not in _FAILURES:
            self._answers.keep(about, answer)
        return answer

    async def _ask(self, question: Request) -> Answer:
        body = question.model_dump_json(exclude_none=True).encode()
        headers = {
            "Content-Type": "application/json",
            REQUEST_HEADER: self._request_id(question),
            **signed(self._secret, question.timestamp, body),
        }
        began = time.perf_counter()
        try:
            heard = await self.line.ask("POST", self._url, headers=headers, body=body, deadline_s=self._deadline_s)
            reply = read_reply(heard)
        except NoAnswer as failure:
            ms = _ms_since(began)
            outcome = Outcome(failure.silence.value)
            log.warning(
                "identity.failed", call_id=question.call_id, outcome=outcome.value, detail=failure.detail, ms=ms
            )
            return Answer(outcome, ms=ms, detail=failure.detail)
        return Answer(Outcome(reply.status), reply.customer, reply.route, reply.variables, _ms_since(began))

    def _request_id(self, question: Request) -> str:
        """The same for the same question of a call, so that asking again after a crash counts once; a second try of
        a PIN is another question. Keyed, because a short PIN could be guessed from a plain hash."""
        asked = question.model_dump_json(exclude={"timestamp"}).encode()
        return f"{question.call_id}-{hmac.digest(self._secret, asked, 'sha256').hex()[:16]}"


_FAILURES = frozenset({Outcome.TIMEOUT, Outcome.UNAVAILABLE, Outcome.INVALID})


def _ms_since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


def read_reply(heard: Heard) -> Reply:
    """The answer as the contract has it. Raises NoAnswer, whose text quotes no customer's data."""
    # 404 with a well-formed answer is how REST frameworks say "not_found".
    if not (200 <= heard.status < 300 or heard.status == 404):
        raise NoAnswer(Silence.INVALID, f"HTTP {heard.status}")
    try:
        return Reply.model_validate_json(heard.text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(ascii(part)[:64].strip("'") for part in first["loc"]) or "answer"
        raise NoAnswer(Silence.INVALID, f"{place}: {first['msg']}") from None
