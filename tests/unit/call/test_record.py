"""A call's record, as its next engine reads it."""

from __future__ import annotations

from typing import Any

import orjson

from engine.call.phase import Phase
from engine.call.record import Announced, CallRecord, Records
from engine.flow.steps.base import ToQueue
from engine.redis_line import RedisLine


class OneRecord(RedisLine):
    """A Redis with this in it."""

    def __init__(self, kept: dict[str, Any]) -> None:
        self._kept = kept

    async def call(self, *words: Any, **_: Any) -> Any:
        return [self._kept["id"]] if words[0] == "SMEMBERS" else [orjson.dumps(self._kept)]


def record(**more: Any) -> CallRecord:
    there: dict[str, Any] = {"phase": Phase.WAITING, "away": ToQueue(queue="sales", branches={"timed_out": "overflow"})}
    return CallRecord("1abc", "c1", "4008001234", callers=[("main", "ask"), None], **there, **more)


async def test_it_is_read_as_it_was_written() -> None:
    for written in (record(), record(announced=Announced(2, 1_763_761_507_000, "wait-2-to-10", "press-one"))):
        assert await Records(OneRecord(orjson.loads(orjson.dumps(written))), "main").held() == [written]


async def test_one_of_an_engine_that_knew_less_is_read() -> None:
    kept = orjson.loads(orjson.dumps(record()))
    del kept["announced"]
    assert await Records(OneRecord(kept), "main").held() == [record()]
