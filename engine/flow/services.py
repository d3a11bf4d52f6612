"""What steps use of the rest of the engine, each by the smallest face that they need.

The engine gives the real ones, the simulator its own. None raises for a fault of what is behind it: a fault is
an outcome with a branch in the flow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from engine.callbacks import Callback
from engine.flow.expression import Value
from engine.http.self_service import Answered, Question
from engine.identity.attempts import Attempt, Limits, Standing
from engine.identity.contract import Member
from engine.identity.endpoint import Answer
from engine.identity.numbers import Caller
from engine.orders import StandingOrders


class Identity(Protocol):
    """The company's own word on who is calling (engine/identity/endpoint.py)."""

    async def look_up(
        self,
        caller: Caller,
        *,
        dialled: str,
        call_id: str,
        variables: Mapping[str, Value],
        member: Member | None = None,
    ) -> Answer:
        """By number, or by what the caller keyed in. Takes no longer than its deadline."""


@dataclass(frozen=True, slots=True)
class Tape:
    """Where one voicemail is recorded: `file` is what the leg is told."""

    id: str
    box: str
    file: Path


class Voicemail(Protocol):
    """The mailboxes (engine/voicemail/mailboxes.py)."""

    async def tape(self, box: str, call_id: str) -> Tape | None:
        """A new one; None where nothing can be recorded."""

    async def length_s(self, tape: Tape) -> float:
        """How much has been said on it, in seconds."""

    async def discard(self, tape: Tape) -> None:
        """Nothing worth keeping is on it."""


class Messages(Protocol):
    """What goes to the company's endpoint for messages (engine/messages/courier.py)."""

    async def send(
        self, call: str, to: str, text: str, *, event: str = "message", facts: Mapping[str, str | int] | None = None
    ) -> bool:
        """Accepts a message, which is delivered later; False when it cannot be kept."""


class Attempts(Protocol):
    """How often somebody may try to prove who they are (engine/identity/attempts.py)."""

    async def take(self, attempt: Attempt, limits: Limits) -> Standing:
        """Counts a try, if there is one left."""

    def give_back(self, attempt: Attempt) -> None:
        """Nobody judged it."""

    def proved(self, attempt: Attempt) -> None:
        """It was right."""


class Http(Protocol):
    """Other people's programs that callers serve themselves from (engine/http/self_service.py)."""

    async def ask(self, question: Question) -> Answered:
        """Takes no longer than the question's deadline."""


class Callbacks(Protocol):
    """Those who want to be called back (engine/call/callbacks.py)."""

    def ask(self, callback: Callback) -> None:
        """Takes a request up, whatever comes of it. The event of it is in the journal already."""


class ByHand:
    """Where nobody is called by the engine: the event alone puts them on the list."""

    def ask(self, _: Callback) -> None:
        """There is nothing more to do."""


@dataclass(slots=True)
class Services:
    """One of each."""

    identity: Identity
    voicemail: Voicemail
    messages: Messages
    orders: StandingOrders
    attempts: Attempts
    http: Http
    callbacks: Callbacks = field(default_factory=ByHand)
