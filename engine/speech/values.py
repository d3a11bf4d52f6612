"""The texts that values come as, read strictly: what a flow would say wrongly it had better not say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

MOST_WHOLE = 10**12 - 1
# What fits into one playback: Asterisk's HTTP server takes lines of 4,096 characters, with a path for each prompt.
MOST_KEYS = 30

KEYS = {**{key: f"digit-{key}" for key in "0123456789"}, "*": "key-star", "#": "key-pound"}

_AMOUNT = re.compile(r"(-?)(0|[1-9]\d*|[1-9]\d{0,2}(?:,\d{3})+)(?:\.(\d+))?", re.ASCII)
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_KEYS = re.compile(r"[0-9*#]+")
_PHONE = re.compile(r"\+?[0-9]+")
# ITU-T E.164: a number has 15 digits at most; the shortest that is dialled has 3 (110, 119).
_PHONE_DIGITS = range(3, 16)
_COUNTRIES = {str(code) for code in COUNTRY_CODE_TO_REGION_CODE}
_MAINLAND_TEN = re.compile(r"[48]00\d{7}")
_MAINLAND_MOBILE = re.compile(r"1[3-9]\d{9}")
_MAINLAND_LANDLINE = re.compile(r"(010|02\d|0[3-9]\d\d)(\d{7,8})")


@dataclass(frozen=True, slots=True)
class Amount:
    """`decimals` are the digits after the point as they were written."""

    negative: bool
    whole: int
    decimals: str


def amount(text: str, most_decimals: int) -> Amount:
    """`1,234.50` or `-7`. Raises ValueError for anything else, over 10^12, or with more decimals."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError(f"{_shown(text)} is not a number; write it as 1234.50 or 1,234.50")
    decimals = match[3] or ""
    if len(decimals) > most_decimals:
        raise ValueError(f"{_shown(text)} has more than {most_decimals} decimals")
    whole = match[2].replace(",", "")
    if len(whole) > len(str(MOST_WHOLE)):
        raise ValueError(f"{_shown(text)} is too large to be said; the largest is {MOST_WHOLE:,}")
    negative = bool(match[1]) and (whole != "0" or bool(decimals.strip("0")))
    return Amount(negative, int(whole), decimals)


def day(text: str) -> date:
    """`2026-10-01`, years 1000 to 9999. Raises ValueError."""
    match = _DAY.fullmatch(text)
    if match is None:
        raise ValueError(f"{_shown(text)} is not a date; write it as 2026-10-01")
    year, month, day_of_month = map(int, match.groups())
    if year < 1000:
        raise ValueError(f"{_shown(text)} is not a date that can be said; years begin at 1000")
    try:
        return date(year, month, day_of_month)
    except ValueError:
        raise ValueError(f"{_shown(text)} is not a day of the calendar") from None


def clock(text: str) -> tuple[int, int]:
    """Hour and minute of `03:05`. Raises ValueError."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(f"{_shown(text)} is not a time of day; write it as 03:05 or 18:30")
    return int(match[1]), int(match[2])


def digits(text: str) -> list[str]:
    """Keys in groups that an ear can keep. Raises ValueError, which does not repeat them."""
    if not _KEYS.fullmatch(text):
        raise ValueError("these are no digits; 0 to 9, * and # are said")
    if len(text) > MOST_KEYS:
        raise ValueError(f"these are {len(text)} digits; {MOST_KEYS} are said at most")
    return _threes_and_fours(text)


def phone(text: str) -> list[str]:
    """A telephone number in groups: 138 0013 8000, 010 6552 9988, 400 800 1234, and 00 before foreign ones.

    Spaces, hyphens and brackets are not heard. Raises ValueError, which does not repeat the number.
    """
    plain = re.sub(r"[ ()-]", "", text)
    if not _PHONE.fullmatch(plain) or len(plain.lstrip("+")) not in _PHONE_DIGITS:
        raise ValueError("this is no telephone number; write it as 13800138000, 010-65529988 or +85223456789")
    if plain.startswith(("+86", "0086")):
        plain = _national(plain.removeprefix("+").removeprefix("00")[2:])
    elif plain.startswith("+"):
        code = next((plain[1 : 1 + n] for n in (1, 2, 3) if plain[1 : 1 + n] in _COUNTRIES), "")
        return ["00", *([code] if code else []), *_threes_and_fours(plain[1 + len(code) :])]
    if landline := _MAINLAND_LANDLINE.fullmatch(plain):
        return [landline[1], *_threes_and_fours(landline[2])]
    return _threes_and_fours(plain)


def _national(significant: str) -> str:
    """As it is dialled at home: landlines get the 0 back that +86 took from them."""
    at_home = _MAINLAND_MOBILE.fullmatch(significant) or _MAINLAND_TEN.fullmatch(significant)
    return significant if at_home or len(significant) < 9 else f"0{significant}"


def _threes_and_fours(digits: str) -> list[str]:
    """Groups of three, then of four: 3-4, 4-4, 3-3-4, 3-4-4. Up to five, as in 95588, are one group."""
    if len(digits) <= 5:
        return [digits] if digits else []
    cut = [3 * n for n in range(1 + -len(digits) % 4)]
    cut += range(cut[-1] + 4, len(digits) + 1, 4)
    return [digits[a:b] for a, b in pairwise(cut)]


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
