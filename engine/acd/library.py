"""The Redis function library of the ACD: its source, its versioned name, its loading."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from redis.exceptions import ResponseError

from engine.acd.offer import lua_tables
from engine.acd.policy import lua_usual
from engine.acd.records import lua_records
from engine.redis_line import RedisLine

# A library that keeps agents or items in another shape gets the next number, and with it keys of its own. To the first
# engine of that version Redis looks as if it were emptied, and is filled from what the engine knows. What belongs to
# the shape, tests/unit/acd/test_shape.py says.
SHAPE = 3
_NAME = "hotline_acd_"
_UNUSED_FOR_MS = 30 * 24 * 3600 * 1000
_FOLDER = Path(__file__).parent / "lua"
# Lua knows 200 names at a time. From this file on, what a file names is its own.
_NAMES_ARE_OWN_FROM = "65_"


class Library(NamedTuple):
    version: str  # of the source: engines of two versions run side by side on one Redis
    source: str

    def function(self, verb: str) -> str:
        return f"hotline_{self.version}_{verb}"


@cache
def library() -> Library:
    """The files of `lua/` in the order of their names, behind what offer.py, policy.py and records.py say in Lua."""
    parts = [
        f"local SHAPE = {SHAPE}",
        lua_tables(),
        lua_usual(),
        lua_records(),
        *map(_part, sorted(_FOLDER.glob("*.lua"))),
    ]
    body = "\n".join(parts)
    version = hashlib.blake2s(body.encode(), digest_size=4).hexdigest()
    return Library(version, f"#!lua name={_NAME}{version}\nlocal VERSION = '{version}'\n{body}")


def _part(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    return f"do\n{text}end" if file.name >= _NAMES_ARE_OWN_FROM else text


async def load(line: RedisLine) -> Library:
    """Puts the library into Redis; loading the same again changes nothing. Versions that nobody has loaded for a month
    are deleted: an engine that still runs one finds its functions missing, and loads them again.

    Raises LineDown; redis.ResponseError if Redis is older than 7.0 or the source does not compile.
    """
    ours = library()
    await line.call("FUNCTION", "LOAD", "REPLACE", ours.source)
    await _delete_the_old(line, ours.version)
    return ours


async def _delete_the_old(line: RedisLine, ours: str) -> None:
    """Of a version that another hotline on this server has loaded, we know when we saw it first."""
    key = f"hotline:{{{line.domain}}}:libraries"
    now_ms = int((await line.call("TIME"))[0]) * 1000
    await line.call("HSET", key, ours, now_ms)
    rows = await line.call("HGETALL", key)
    loaded_ms = dict(zip(rows[::2], map(int, rows[1::2]), strict=True))
    found = {row[1].removeprefix(_NAME) for row in await line.call("FUNCTION", "LIST", "LIBRARYNAME", f"{_NAME}*")}
    for version in found - loaded_ms.keys():
        await line.call("HSET", key, version, now_ms)
    for version, at_ms in loaded_ms.items():
        if now_ms - at_ms > _UNUSED_FOR_MS:
            if version in found:
                with suppress(ResponseError):  # another engine was faster
                    await line.call("FUNCTION", "DELETE", f"{_NAME}{version}")
            await line.call("HDEL", key, version)
