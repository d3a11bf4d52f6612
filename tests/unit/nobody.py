"""What stands for the services that a test does not look at: nobody is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.flow.services import Services, Tape
from engine.http.self_service import Answered, Outcome, Question
from engine.identity.attempts import Attempt, Limits, Standing
from engine.identity.endpoint import NoIdentity
from engine.orders import StandingOrders


class NoVoicemail:
    """Where nothing can be recorded."""

    async def tape(self, box: str, call_id: str) -> Tape | None:
        return None

    async def length_s(self, tape: Tape) -> float:
        return 0.0

    async def discard(self, tape: Tape) -> None:
        pass


class NoMessages:
    """For a hotline without an endpoint for messages."""

    async def send(
        self, call: str, to: str, text: str, *, event: str = "message", facts: Mapping[str, str | int] | None = None
    ) -> bool:
        return False


class Uncounted:
    """Where nobody counts tries."""

    async def take(self, attempt: Attempt, limits: Limits) -> Standing:
        return Standing.FREE

    def give_back(self, attempt: Attempt) -> None:
        pass

    def proved(self, attempt: Attempt) -> None:
        pass


class NoHttp:
    """Where nobody can be asked."""

    async def ask(self, question: Question) -> Answered:
        return Answered(Outcome.UNAVAILABLE, detail="nobody can be asked here")


def services_of(**there: Any) -> Services:
    """Of a hotline that has only those that are given."""
    nobody: dict[str, Any] = {
        "identity": NoIdentity(),
        "voicemail": NoVoicemail(),
        "messages": NoMessages(),
        "orders": StandingOrders(),
        "attempts": Uncounted(),
        "http": NoHttp(),
    }
    return Services(**{**nobody, **there})
