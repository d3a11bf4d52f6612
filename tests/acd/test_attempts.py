"""Wrong tries are counted where all engines see them, and nothing that a caller keyed in stands there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from engine.identity.attempts import Attempt, Attempts, Standing
from engine.redis_line import RedisLine
from tests.acd.redis_server import RedisServer

ID_CARD = "11010519491231002X"
NUMBER = "+8613800138000"


@dataclass(frozen=True)
class Limits:
    call: int = 3
    number: int = 5
    account: int = 4
    within: float = 3600.0


@pytest.fixture
def attempts(line: RedisLine) -> Attempts:
    return Attempts(line, "secret")


def attempt(call: str = "c1", number: str = NUMBER, account: str = ID_CARD) -> Attempt:
    return Attempt(call, number, account)


async def test_the_tries_of_a_call_are_used_up_first(attempts: Attempts) -> None:
    said = [await attempts.take(attempt(), Limits()) for _ in range(4)]
    assert said == [*[Standing.FREE] * 3, Standing.CALL]


async def test_an_account_is_spared_whichever_number_calls(attempts: Attempts) -> None:
    said = [await attempts.take(attempt(f"c{n}", f"+86138001380{n:02}"), Limits()) for n in range(5)]
    assert said == [*[Standing.FREE] * 4, Standing.ACCOUNT]


async def test_a_number_cannot_try_account_after_account(attempts: Attempts) -> None:
    said = [await attempts.take(attempt(f"c{n}", account=f"10{n}"), Limits()) for n in range(6)]
    assert said == [*[Standing.FREE] * 5, Standing.NUMBER]


async def test_hidden_callers_do_not_use_up_each_others_tries(attempts: Attempts) -> None:
    for n in range(10):
        assert await attempts.take(attempt(f"c{n}", "", account=f"10{n}"), Limits()) is Standing.FREE


async def test_a_try_that_was_refused_uses_up_nothing_else(attempts: Attempts, line: RedisLine) -> None:
    for _ in range(9):
        await attempts.take(attempt(), Limits())
    counts = {key.split(":")[3]: await line.call("GET", key) for key in await line.call("KEYS", "*")}
    assert counts == {"call": "3", "number": "3", "account": "3"}


async def test_what_nobody_judged_is_given_back(attempts: Attempts) -> None:
    for _ in range(9):
        assert await attempts.take(attempt(), Limits()) is Standing.FREE
        attempts.give_back(attempt())


async def test_who_proves_right_has_all_tries_of_the_account_again_but_not_those_of_others(attempts: Attempts) -> None:
    limits = Limits(call=100, number=7)
    for _ in range(3):
        await attempts.take(attempt(), limits)
    await attempts.take(attempt(), limits)
    attempts.proved(attempt())
    said = [await attempts.take(attempt(), limits) for _ in range(5)]
    assert said == [*[Standing.FREE] * 4, Standing.NUMBER]


async def test_tries_are_forgotten_in_time(attempts: Attempts, line: RedisLine) -> None:
    await attempts.take(attempt(), Limits(within=900))
    lives_s = {key.split(":")[3]: await line.call("TTL", key) for key in await line.call("KEYS", "*")}
    assert 890 <= lives_s["number"] <= 900 and 890 <= lives_s["account"] <= 900
    assert 86_000 <= lives_s["call"] <= 86_400
    attempts.give_back(attempt())
    await attempts.take(attempt(), Limits(within=900))
    assert all([await line.call("TTL", key) > 0 for key in await line.call("KEYS", "*")]), "kept for ever"


async def test_the_last_try_is_had_by_one_of_many_at_once(attempts: Attempts) -> None:
    limits = Limits(account=1, number=100)
    said = await asyncio.gather(*(attempts.take(attempt(f"c{n}"), limits) for n in range(20)))
    assert sorted(said) == [*[Standing.ACCOUNT] * 19, Standing.FREE]


async def test_no_key_shows_what_was_keyed_in(attempts: Attempts, line: RedisLine) -> None:
    await attempts.take(attempt(), Limits())
    keys = await line.call("KEYS", "*")
    assert len(keys) == 3 and all(key.startswith("hotline:{default}:attempts:") for key in keys)
    assert not any(ID_CARD in key for key in keys)
    assert ID_CARD not in repr(attempt())
    other = Attempts(line, "another secret")
    assert await other.take(attempt("c2"), Limits(account=1)) is Standing.FREE, "the key can be guessed without secret"


async def test_without_redis_nobody_may_try(own_server: RedisServer) -> None:
    line = RedisLine(own_server.url, deadline_s=0.2)
    await line.open()
    own_server.kill()
    try:
        assert await Attempts(line, "secret").take(attempt(), Limits()) is Standing.UNKNOWN
    finally:
        await line.close(drain=False)
