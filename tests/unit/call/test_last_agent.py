"""Whom a caller talked with last is remembered without their number, and is nobody while Redis is away."""

from __future__ import annotations

from typing import Any, cast

from engine.call.last_agent import LastAgents
from engine.redis_line import LineDown, RedisLine

NUMBER = "+8613800138000"


class Line:
    """Redis as far as it is asked here."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.away = False

    def post(self, verb: str, key: str, value: str, *_: Any) -> None:
        assert verb == "SET"
        self.kept[key] = value

    async def call(self, verb: str, key: str) -> str | None:
        assert verb == "GET"
        if self.away:
            raise LineDown("gone")
        return self.kept.get(key)


async def test_the_agent_of_the_last_conversation_is_remembered_and_the_number_is_not() -> None:
    line = Line()
    agents = LastAgents(cast(RedisLine, line))
    agents.note(NUMBER, "8001")
    agents.note(NUMBER, "8002")
    assert await agents.of(NUMBER) == "8002"
    assert await agents.of("+8613900139000") == ""
    assert not any("138001" in key for key in line.kept)


async def test_who_withholds_their_number_is_nobody() -> None:
    line = Line()
    agents = LastAgents(cast(RedisLine, line))
    agents.note("", "8001")
    assert line.kept == {}
    assert await agents.of("") == ""


async def test_while_redis_is_away_anybody_may_answer() -> None:
    line = Line()
    agents = LastAgents(cast(RedisLine, line))
    agents.note(NUMBER, "8001")
    line.away = True
    assert await agents.of(NUMBER) == ""
