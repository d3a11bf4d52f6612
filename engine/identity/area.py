"""Where a number is from and whose it is, offline, in Chinese.

The table (`places.json.xz`) is compiled from phonenumbers' by build_places.py. Carrier is the one the number
was first given out by (号段归属): since number portability (携号转网, 2019) a subscriber may have moved.
"""

import lzma
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import phonenumbers

PLACES = Path(__file__).with_name("places.json.xz")


@dataclass(frozen=True, slots=True)
class Area:
    """`place` and `carrier` are "" where unknown: many 16x and 19x mobile numbers have a carrier only."""

    place: str = ""
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class _Runs:
    starts: "array[int]"
    ids: "array[int]"
    names: list[str]

    @classmethod
    def read(cls, columns: dict[str, Any]) -> "_Runs":
        return cls(array("I", columns["starts"]), array("H", columns["ids"]), columns["names"])

    def name(self, segment: int) -> str:
        return self.names[self.ids[bisect_right(self.starts, segment) - 1]]


@dataclass(frozen=True, slots=True)
class _Table:
    places: _Runs
    carriers: _Runs
    regions: dict[str, str]


@cache
def load() -> _Table:
    """Reads the table once: some 50 ms and 7 MB. numbers.prepare() does so at start."""
    table = orjson.loads(lzma.decompress(PLACES.read_bytes()))
    return _Table(_Runs.read(table["places"]), _Runs.read(table["carriers"]), table["regions"])


def find(number: str) -> Area:
    """Place and carrier of an E.164 number; the country's name for numbers abroad. Never raises."""
    table = load()
    if number.startswith("+86"):
        digits = number[3:10].ljust(7, "0")
        if not (digits.isascii() and digits.isdigit()):
            return Area()
        segment = int(digits)
        return Area(table.places.name(segment), table.carriers.name(segment))
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number[:20]))
    except phonenumbers.NumberParseException:
        return Area()
    return Area(place=table.regions.get(region or "", ""))
