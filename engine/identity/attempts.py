"""How often somebody may try to prove who they are: within a call, from a number, about an account.

A try is counted before the endpoint is asked, so that two calls at the same moment cannot both have the last one;
what nobody judged is given back. No number that was keyed in is kept: an account is known by its HMAC.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import structlog

from engine.redis_line import LineDown, RedisLine

log = structlog.get_logger(__name__)

# Longer than any call.
CALL_MS = 24 * 3600 * 1000

# KEYS: counters; ARGV: limit and life in ms of each. Returns the place of the first that is used up, or counts in
# all of them and returns 0. A counter lives from its first try on.
_TAKE = """
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[2 * i - 1]) then return i end
end
for i, key in ipairs(KEYS) do
  if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, ARGV[2 * i]) end
end
return 0
"""
# KEYS: counters. Takes one try back from each that there still is.
_GIVE_BACK = """
for _, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') > 0 then redis.call('DECR', key) end
end
"""


class Standing(StrEnum):
    """Whether one more try may be made, or what there have been too many of."""

    FREE = "free"
    CALL = "call"
    NUMBER = "number"
    ACCOUNT = "account"
    UNKNOWN = "unknown"  # nobody can count now


class Limits(Protocol):
    """How many tries there may be; `within` is in seconds."""

    @property
    def call(self) -> int: ...
    @property
    def number(self) -> int: ...
    @property
    def account(self) -> int: ...
    @property
    def within(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `number` and `account` are "" where there is none: a hidden caller is nobody's counter."""

    call_id: str
    number: str
    account: str = field(repr=False)


class Attempts:
    """The counters in Redis, of all engines together. `secret` keeps accounts from being guessed from their keys."""

    def __init__(self, line: RedisLine, secret: str, domain: str = "default") -> None:
        self._line = line
        self._secret = secret.encode()
        self._prefix = f"hotline:{{{domain}}}:attempts:"

    async def take(self, attempt: Attempt, limits: Limits) -> Standing:
        """Counts a try, if there is one left. Without Redis nobody can count, and so nobody may try."""
        life_ms = max(1, round(limits.within * 1000))
        of = {
            Standing.CALL: (limits.call, CALL_MS),
            Standing.NUMBER: (limits.number, life_ms),
            Standing.ACCOUNT: (limits.account, life_ms),
        }
        keys = self._keys(attempt)
        arguments = [argument for standing in keys for argument in of[standing]]
        try:
            used_up = int(await self._line.call("EVAL", _TAKE, len(keys), *keys.values(), *arguments))
        except LineDown as error:
            log.warning("attempts.not_counted", call=attempt.call_id, error=str(error))
            return Standing.UNKNOWN
        return list(keys)[used_up - 1] if used_up else Standing.FREE

    def give_back(self, attempt: Attempt) -> None:
        """Nobody judged it: the endpoint was silent."""
        keys = self._keys(attempt)
        self._line.post("EVAL", _GIVE_BACK, len(keys), *keys.values())

    def proved(self, attempt: Attempt) -> None:
        """It was right: the account's wrong tries before it are forgotten, and it counts for no one."""
        self.give_back(attempt)
        if account := self._keys(attempt).get(Standing.ACCOUNT):
            self._line.post("DEL", account)

    def _keys(self, attempt: Attempt) -> dict[Standing, str]:
        keys = {Standing.CALL: f"{self._prefix}call:{attempt.call_id}"}
        if attempt.number:
            keys[Standing.NUMBER] = f"{self._prefix}number:{attempt.number}"
        if attempt.account:
            known_by = hmac.digest(self._secret, b"account\n" + attempt.account.encode(), "sha256").hex()[:32]
            keys[Standing.ACCOUNT] = f"{self._prefix}account:{known_by}"
        return keys
