"""What the company's endpoints answer in a simulated call: written down, or nothing is known of anybody."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from engine.config.site import Site
from engine.flow.expression import Value
from engine.flow.services import Services, Tape
from engine.http.self_service import Answered, Question
from engine.http.self_service import Outcome as HttpOutcome
from engine.identity.attempts import Attempt, Limits, Standing
from engine.identity.contract import Member, Outcome, Reply
from engine.identity.endpoint import Answer
from engine.identity.numbers import Caller
from engine.orders import StandingOrders
from engine.simulator.leg import TALKS_S

Say = Callable[[str], None]

# An endpoint that fails, in the place of a `status`.
FAILURES = (Outcome.TIMEOUT, Outcome.UNAVAILABLE, Outcome.INVALID)
SHAPE = (
    '{"status": "ok", "customer": {"tier": "VIP"}}, or with "caller" and "member" in front of one answer or a list of '
    f"them; a status may also be {', '.join(FAILURES)}"
)


class BadAnswers(ValueError):  # noqa: N818 - said to the person who wrote them
    """What is written is no answer of an endpoint; says which part."""


class Identity:
    """Gives the answers that are written, of each kind one after the other, the last one again. Raises BadAnswers."""

    def __init__(self, written: Any, say: Say) -> None:
        self._say = say
        by_event = written if isinstance(written, dict) and "status" not in written else {"caller": written}
        if strange := set(by_event) - {"caller", "member"}:
            raise BadAnswers(f"`{sorted(strange)[0]}` is nothing that an identity endpoint answers; write {SHAPE}")
        self._answers = {event: deque(_answers(event, answers)) for event, answers in by_event.items()}

    async def look_up(
        self,
        caller: Caller,
        *,
        dialled: str,
        call_id: str,
        variables: Mapping[str, Value],
        member: Member | None = None,
    ) -> Answer:
        """The next answer; `not_found` where none is written."""
        answers = self._answers.get("member" if member else "caller")
        if not answers:
            self._say(f"nothing is written that the endpoint says of {'a member' if member else 'a caller'}")
            return Answer(Outcome.NOT_FOUND)
        return answers.popleft() if len(answers) > 1 else answers[0]


def _answers(event: str, written: Any) -> list[Answer]:
    if written is None:
        return []
    return [_answer(event, one) for one in (written if isinstance(written, list) else [written])]


def _answer(event: str, written: Any) -> Answer:
    status = written.get("status") if isinstance(written, dict) else None
    if status in FAILURES:
        return Answer(Outcome(status), detail="as it is written")
    try:
        reply = Reply.model_validate(written)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, (event, *first["loc"])))
        raise BadAnswers(f"{place}: {first['msg']}; an answer is {SHAPE}") from None
    return Answer(Outcome(reply.status), reply.customer, reply.route, reply.variables)


class Http:
    """Answers of other endpoints by the end of their address; where none is written, nobody answers."""

    def __init__(self, written: Mapping[str, Any], say: Say) -> None:
        self._written, self._say = written, say

    async def ask(self, question: Question) -> Answered:
        """The JSON that is written for the address, or the outcome: `not_found`, `timeout`, …"""
        self._say(f"pretends: {question.method} {question.url}")
        for end, content in self._written.items():
            if str(question.url).endswith(end):
                failed = content in tuple(HttpOutcome)
                return Answered(HttpOutcome(content) if failed else HttpOutcome.OK, None if failed else content)
        return Answered(HttpOutcome.UNAVAILABLE, detail="no answer is written for this address")


class Voicemail:
    """Tapes that nothing is on."""

    def __init__(self, say: Say) -> None:
        self._say = say

    async def tape(self, box: str, call_id: str) -> Tape | None:
        """As if there were one."""
        self._say(f"pretends: a voicemail in {box}")
        return Tape(f"simulated-{box}", box, Path("/simulated") / box)

    async def length_s(self, tape: Tape) -> float:
        """As long as simulated callers talk."""
        return TALKS_S

    async def discard(self, tape: Tape) -> None:
        """Nothing was there."""


class Messages:
    """Takes messages and sends none. `endpoint`: whether the site has one that would."""

    def __init__(self, say: Say, *, endpoint: bool) -> None:
        self._say, self._endpoint = say, endpoint

    async def send(
        self, call: str, to: str, text: str, *, event: str = "message", facts: Mapping[str, str | int] | None = None
    ) -> bool:
        """As if it were kept."""
        if not self._endpoint:
            return False
        self._say(f"pretends: {event} to {to}: “{text}”")
        return True


class Attempts:
    """Counts one call's tries."""

    def __init__(self) -> None:
        self._tries: Counter[str] = Counter()

    async def take(self, attempt: Attempt, limits: Limits) -> Standing:
        """Counts a try, if there is one left."""
        if self._tries[attempt.call_id] >= limits.call:
            return Standing.CALL
        self._tries[attempt.call_id] += 1
        return Standing.FREE

    def give_back(self, attempt: Attempt) -> None:
        """Nobody judged it."""
        self._tries[attempt.call_id] -= 1

    def proved(self, attempt: Attempt) -> None:
        """It was right."""
        self.give_back(attempt)


def services(site: Site, identity: Any, http: Mapping[str, Any], orders: StandingOrders, say: Say) -> Services:
    """What a simulated call's steps use. Raises BadAnswers."""
    return Services(
        identity=Identity(identity, say),
        voicemail=Voicemail(say),
        messages=Messages(say, endpoint=site.hotline.messages is not None),
        orders=orders,
        attempts=Attempts(),
        http=Http(http, say),
    )


def read_answers(file: Path) -> Any:
    """A JSON file. Raises BadAnswers."""
    try:
        return orjson.loads(file.read_bytes())
    except OSError as error:
        raise BadAnswers(f"{file} cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise BadAnswers(f"{file}:{error.lineno}:{error.colno}: is not JSON: {error.msg}") from None


__all__ = ["BadAnswers", "read_answers", "services"]
