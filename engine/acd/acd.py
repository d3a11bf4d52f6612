"""Who answers: the typed face of the ACD's Redis functions, each method one FCALL, atomic in Redis.

By inheritance, one room after the other: the wire, the staff, the items, and here the hands from outside.
"""

from __future__ import annotations

import orjson

from engine.acd.explained import Explanation, explanation
from engine.acd.items import Items


class Acd(Items):
    """One routing domain, seen by one engine. Every method raises LineDown when Redis does not answer. `actor` says in
    the journal whose hand it was."""

    async def assign(self, item: str, agent: str, *, actor: str) -> str:
        """Offers the item to this agent now, whatever its requirement says; other phones stop ringing. "", or why
        not: gone, talking, unknown_agent, rings, or what keeps the agent (not_ready, busy, wrapup …)."""
        reply = await self._ask("assign", item, agent, actor)
        return "" if reply[0] == 1 else str(reply[0])

    async def reprioritise(self, item: str, *, head_start_ms: int, strict: int = 0, actor: str) -> bool:
        """Gives the item another head start and strictness. False: unknown, or accepted."""
        return await self._done("reprioritise", item, head_start_ms, strict, actor)

    async def release(self, item: str, reason: str, *, target: str = "", actor: str) -> bool:
        """Takes the item out; its engine takes the caller to `target`, or where the flow says. False: unknown, or
        accepted."""
        return await self._done("release", item, reason, target, actor)

    async def explain(self, item: str) -> Explanation | None:
        """Why it waits, or with whom it is; None when there is none of this id (any more)."""
        reply = await self._ask("explain", item)
        return explanation(orjson.loads(reply[0])) if reply[0] else None
