"""Who is calling, as far as the telephone network says: one canonical form of the caller's number.

Carriers deliver the same mobile as 013912345678, 8613912345678, +86139…, 0086139… or behind an IP dialling
prefix (17951), landlines with and without area code, and hidden numbers as a dozen different words.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata

from engine.identity import area

Presentation = Literal["allowed", "restricted", "unavailable"]

MAX_RAW = 64  # characters; no number or SIP user part worth reading is longer
MAX_NAME = 64

# What carriers, gateways and Asterisk itself put in the place of a number (RFC 3323 section 4.1, AGI, DAHDI).
_RESTRICTED = {"anonymous", "restricted", "private", "withheld", "blocked", "hidden", "匿名"}
_UNAVAILABLE = {"", "unavailable", "unknown", "none", "null", "nil", "asterisk", "s", "未知"}

# 1[3-9] is reserved for mobiles as a whole, but 179xx is an IP dialling prefix. Segments are handed out faster
# than phonenumbers is released, so a mobile is known by its shape, not by a table.
_CHINA_MOBILE = re.compile(r"(?:\+?(?:86){1,2}|0086)?0?(1(?:[3-689]\d|7[0-8])\d{8})")
_PLUS_MOBILE = re.compile(r"\+0?(1(?:[3-689]\d|7[0-8])\d{8})")
_CHINA_LOCAL = re.compile(r"[2-8]\d{6,7}")
# A service behind an area code (0755 95588, 010 10086): many phones, and no number that anybody could call back.
_CHINA_SERVICE = re.compile(r"\+86(?:10|2\d|[3-9]\d\d)(?:1\d{2,5}|9[56]\d{3,6})")
# 17951, 17909, 17911 …, 12593, 11808, 10193: how the call was carried, not who makes it.
_CHINA_CARRIED = re.compile(r"\+?(?:179\d\d|1[12]\d{3}|10193)(?=\d{7})")
# Hong Kong, Macau and Taiwan without "00". No area code of the mainland is 852 or 853, and 0886's numbers are shorter.
_CHINA_BEYOND = re.compile(r"85[23]\d{8}|886\d{8,9}")
_LOCAL = re.compile(r"[0-9]{3,12}")
_DIALLED = re.compile(r"\+?[0-9]{1,24}")
_SCHEME = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
# What people write between digits: blanks, brackets, dots, every Unicode dash, and the marks of copied text.
_BETWEEN = re.compile(r"[\s\-().\u00ad\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u206f\u2212\ufeff]")


@dataclass(frozen=True, slots=True)
class Caller:
    """`number` is E.164 ("+8613912345678"), or "" for whoever cannot be told apart by one: hidden callers,
    short codes (10086), internal extensions, SIP user names. "" must never be a key of anything."""

    raw: str
    number: str
    presentation: Presentation
    area: str
    carrier: str
    name: str = ""


def prepare() -> None:
    """Reads all tables, some 0.2 s: for the start, so that the first callers do not hold up the event loop.

    China and +1 (the prefix that "+139…" wrongly claims) are compiled too; the first caller from any other
    country still costs up to 6 ms, once.
    """
    PhoneMetadata.load_all()
    for sample in ("+13105551234", "+13912345678", "075588881234"):
        normalise(sample)


def normalise(
    raw: str,
    *,
    region: str = "CN",
    area_code: str | None = None,
    strip: Sequence[str] = (),
    presentation: str = "allowed",
    name: str = "",
) -> Caller:
    """The caller behind what the trunk delivered; never raises.

    `raw`: a number, a SIP or tel URI, or a name-addr; over 64 characters it is not read as a number.
    `region`: the trunk's country (ISO 3166). `area_code`: the trunk's own ("0755"), which completes local
    landline numbers. `strip`: digits that this trunk puts before every number; the longest that fits goes.
    `presentation`: ours, or any value of Asterisk's CALLERID(num-pres).
    A restricted caller's digits are dropped altogether, so that no log, event or look-up can show them.
    """
    shown = _printable(raw, MAX_RAW)
    name = _printable(name, MAX_NAME)
    user = _user_part(raw) if len(raw) <= MAX_RAW else "?"
    said = _presentation(presentation)
    if said == "restricted" or user.lower() in _RESTRICTED:
        hidden = shown if user.lower() in _RESTRICTED else ""
        return Caller(hidden, "", "restricted", "", "")
    if said == "unavailable" or user.lower() in _UNAVAILABLE:
        return Caller(shown, "", "unavailable", "", "", name)
    number = _e164(_without(strip, user), region, area_code or "")
    if not number:
        return Caller(shown, "", said, "", "", name)
    found = area.find(number)
    return Caller(shown, number, said, found.place, found.carrier, name)


def _presentation(text: str) -> Presentation:
    if text == "restricted" or text.startswith("prohib"):
        return "restricted"
    return "unavailable" if text == "unavailable" else "allowed"


def _printable(text: str, limit: int) -> str:
    return "".join(c for c in text[:limit] if c.isprintable()).strip()


def _user_part(raw: str) -> str:
    """What a URI or name-addr says before "@" and ";", without the separators that people write."""
    text = unicodedata.normalize("NFKC", raw)
    if "<" in text:
        text = text[text.rindex("<") + 1 :].split(">")[0]
    text = _SCHEME.sub("", text.strip(), count=1)
    text = unquote(text.split("@")[0].split(";")[0], errors="replace")
    return _BETWEEN.sub("", text).strip("\"'")


def _without(prefixes: Sequence[str], user: str) -> str:
    longest = max((prefix for prefix in prefixes if user.startswith(prefix)), key=len, default="")
    return user.removeprefix(longest)


def _e164(user: str, region: str, area_code: str) -> str:
    if not _DIALLED.fullmatch(user):
        return ""
    if user.startswith("+0"):  # a gateway's "+" put before a national or 00 form
        user = user[1:]
    if region != "CN":
        return _valid(user, region) or _completed(_LOCAL, user, region, area_code)
    number = _chinese(user) or _completed(_CHINA_LOCAL, user, region, area_code)
    if not number and (carried := _CHINA_CARRIED.match(user)):
        number = _chinese(user[carried.end() :])
    return number


def _chinese(user: str) -> str:
    """What a trunk in mainland China means by it."""
    if mobile := _CHINA_MOBILE.fullmatch(user):
        return f"+86{mobile[1]}"
    number = _valid(user, "CN")
    if not number and (mobile := _PLUS_MOBILE.fullmatch(user)):
        return f"+86{mobile[1]}"
    if not number and _CHINA_BEYOND.fullmatch(user):
        return _valid(f"+{user}", "CN")
    return "" if _CHINA_SERVICE.fullmatch(number) else number


def _completed(local: re.Pattern[str], user: str, region: str, area_code: str) -> str:
    """A number that was dialled inside of its own city."""
    return _valid(area_code + user, region) if area_code and local.fullmatch(user) else ""


def _valid(digits: str, region: str) -> str:
    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(parsed):
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
