"""The Redis function library of the ACD: its source, its versioned name, its loading."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from engine.acd.offer import lua_tables
from engine.acd.policy import lua_usual
from engine.acd.records import lua_records
from engine.redis_line import RedisLine

# A library that keeps agents or items in another shape gets the next number, and with it keys of its own. To the first
# engine of that version Redis looks as if it were emptied, and is filled from what the engine knows.
SHAPE = 3
_FOLDER = Path(__file__).parent / "lua"


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
        *(file.read_text(encoding="utf-8") for file in sorted(_FOLDER.glob("*.lua"))),
    ]
    body = "\n".join(parts)
    version = hashlib.blake2s(body.encode(), digest_size=4).hexdigest()
    return Library(version, f"#!lua name=hotline_acd_{version}\nlocal VERSION = '{version}'\n{body}")


async def load(line: RedisLine) -> Library:
    """Puts the library into Redis; loading the same again changes nothing.

    Raises LineDown; redis.ResponseError if Redis is older than 7.0 or the source does not compile.
    """
    ours = library()
    await line.call("FUNCTION", "LOAD", "REPLACE", ours.source)
    return ours
