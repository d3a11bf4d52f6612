"""Where messages wait: in Redis, so that neither a dead endpoint nor a dead engine loses one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import orjson

from engine.redis_line import RedisLine

MOST_WAITING = 10_000
# Long enough for a call that is taken over by another engine and enters its step again.
REMEMBERED_S = 24 * 3600

# KEYS: the messages by id, their ids by the moment they are due, a mark that this one was accepted.
# ARGV: id, message, due (ms), the most that may wait, how long to remember (s). Gives 1, or 0 where there is no room.
_PUT = """
if redis.call('EXISTS', KEYS[3]) == 1 then return 1 end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
redis.call('SET', KEYS[3], '1', 'EX', ARGV[5])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
return 1
"""
# KEYS: messages, ids. ARGV: now (ms), until when they are taken (ms), how many. Gives the messages that are due, which
# come back by themselves should their taker die.
_TAKE = """
local taken = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])) do
  local message = redis.call('HGET', KEYS[1], id)
  if message then
    redis.call('ZADD', KEYS[2], ARGV[2], id)
    taken[#taken + 1] = message
  else
    redis.call('ZREM', KEYS[2], id)
  end
end
return taken
"""


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `event`: message, or what it tells of (voicemail); `facts`: what goes with it into the JSON.
    `queued_ms`: epoch milliseconds; `tries` and `fault`: how often it was tried in vain, and why."""

    id: str
    call: str
    event: str
    to: str
    text: str
    facts: Mapping[str, str | int] = field(default_factory=dict)
    queued_ms: int = 0
    tries: int = 0
    fault: str = ""


def message_id(call: str, event: str, to: str, text: str) -> str:
    """The same for the same message of the same call, so that a step which is entered again sends it once."""
    told = f"{event}\n{to}\n{text}".encode()
    return f"{call}-{hashlib.sha256(told).hexdigest()[:12]}"


class Outbox:
    """The messages of one routing domain that are not delivered yet. Every method raises LineDown."""

    def __init__(self, line: RedisLine, domain: str = "default") -> None:
        self._line = line
        self._messages = f"hotline:{{{domain}}}:messages"
        self._due = f"{self._messages}:due"

    async def put(self, message: Message) -> bool:
        """Keeps it, once however often it is put; False when too many wait already."""
        accepted = f"{self._messages}:accepted:{message.id}"
        keys = (self._messages, self._due, accepted)
        what = (message.id, orjson.dumps(asdict(message)), message.queued_ms)
        return bool(await self._line.call("EVAL", _PUT, 3, *keys, *what, MOST_WAITING, REMEMBERED_S))

    async def take(self, now_ms: int, *, lease_ms: int, most: int) -> list[Message]:
        """Those that are due, for `lease_ms` milliseconds: whoever takes them says `done` or `later`."""
        words = ("EVAL", _TAKE, 2, self._messages, self._due, now_ms, now_ms + lease_ms, most)
        return [_read(text) for text in await self._line.call(*words)]

    async def done(self, message: Message) -> None:
        """It need not be sent any more."""
        await self._line.call("HDEL", self._messages, message.id)
        await self._line.call("ZREM", self._due, message.id)

    async def later(self, message: Message, due_ms: int) -> None:
        """It is to be tried again."""
        await self._line.call("HSET", self._messages, message.id, orjson.dumps(asdict(message)))
        await self._line.call("ZADD", self._due, due_ms, message.id)

    async def next_due_ms(self) -> int | None:
        """When the next one is due; None when none waits."""
        first = await self._line.call("ZRANGE", self._due, 0, 0, "WITHSCORES")
        return round(float(first[1])) if first else None

    async def waiting(self, most: int) -> tuple[int, list[Message]]:
        """How many wait, and the first of them to be tried."""
        ids = await self._line.call("ZRANGE", self._due, 0, most - 1)
        texts = await self._line.call("HMGET", self._messages, *ids) if ids else ()
        return await self._line.call("HLEN", self._messages), [_read(text) for text in texts if text]


def _read(text: str) -> Message:
    return Message(**orjson.loads(text))
