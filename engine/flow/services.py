"""What steps use of the rest of the engine, each by the smallest face that they need.

The engine gives the real ones, the simulator its own. None raises for a fault of what is behind it: a fault is
an outcome with a branch in the flow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.flow.expression import Value
from engine.identity.contract import Member
from engine.identity.endpoint import Answer
from engine.identity.numbers import Caller


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


@dataclass(slots=True)
class Services:
    """One of each."""

    identity: Identity
