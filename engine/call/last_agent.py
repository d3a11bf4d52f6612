"""Whom a caller talked with last: kept in Redis for a month, under a digest of their number."""

from __future__ import annotations

import hashlib

from engine.redis_line import LineDown, RedisLine

KEPT_S = 30 * 86_400


def known_as(number: str) -> str:
    """Who it is, without telling Redis the number; "" for a caller who withholds it."""
    return hashlib.blake2s(number.encode(), digest_size=8).hexdigest() if number else ""


class LastAgents:
    """Of one routing domain."""

    def __init__(self, line: RedisLine, domain: str = "default") -> None:
        self._line = line
        self._prefix = f"hotline:{{{domain}}}:last_agent:"

    def note(self, number: str, agent: str) -> None:
        """They talk; nobody waits until that is written."""
        if number:
            self._line.post("SET", self._prefix + known_as(number), agent, "EX", KEPT_S)

    async def of(self, number: str) -> str:
        """The agent; "" when there is none, or Redis does not say: then anybody may answer."""
        if not number:
            return ""
        try:
            return await self._line.call("GET", self._prefix + known_as(number)) or ""
        except LineDown:
            return ""
