"""The engine's line to Redis: one server, one behind Sentinel, or the node of a cluster that serves our domain."""

from engine.redis_line.each import each
from engine.redis_line.line import RedisLine
from engine.redis_line.surely import surely
from engine.redis_line.url import BadRedisUrl
from engine.redis_line.wire import Argument, LineDown, Sink

__all__ = ["Argument", "BadRedisUrl", "LineDown", "RedisLine", "Sink", "each", "surely"]
