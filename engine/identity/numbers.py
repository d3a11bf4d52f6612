"""Who is calling, as far as the telephone network says: one canonical form of the caller's number.

Carriers deliver the same mobile as 013912345678, 8613912345678, +86139…, 0086139… or behind an IP dialling
prefix (17951), landlines with and without area code, and hidden numbers as a dozen different words.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata

from engine.identity import area

Presentation = Literal["allowed", "restricted", "unavailable"]

MAX_RAW = 64  # characters; no number or SIP user part worth reading is longer
MAX_NAME = 64

# What carriers, gateways and Asterisk itself put in the place of a number (RFC 3323 section 4.1, AGI, DAHDI).
_RESTRICTED = {"anonymous", "restricted", "private", "withheld", "blocked", "hidden", "匿名"}
_UNAVAILABLE = {"", "unavailable", "unknown", "none", "null", "nil", "asterisk", "s", "未知"}

# 1[3-9] is reserved for mobiles as a whole, but 179xx, like 12xxx, is an IP dialling prefix. Segments are
# handed out faster than phonenumbers is released, so a mobile is known by its shape, not by a table.
_CHINA_MOBILE = re.compile(r"(?:1(?:79|[12]\d)\d\d)?(?:\+?86|0086)?0?(1(?:[3-689]\d|7[0-8])\d{8})")
_PLUS_MOBILE = re.compile(r"\+0?(1(?:[3-689]\d|7[0-8])\d{8})")
_CHINA_LOCAL = re.compile(r"[2-8]\d{6,7}")
_DIALLED = re.compile(r"\+?[0-9]{1,24}")


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
    presentation: str = "allowed",
    name: str = "",
) -> Caller:
    """The caller behind what the trunk delivered; never raises.

    `raw`: a number, a SIP or tel URI, or a name-addr; over 64 characters it is not read as a number.
    `region`: the trunk's country (ISO 3166). `area_code`: the trunk's own ("0755"), which completes local
    landline numbers. `presentation`: ours, or any value of Asterisk's CALLERID(num-pres).
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
    number = _e164(user, region, area_code or "")
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
    text = text.strip().removeprefix("sips:").removeprefix("sip:").removeprefix("tel:")
    text = text.split("@")[0].split(";")[0]
    return re.sub(r"[\s\-().]", "", text).strip("\"'")


def _e164(user: str, region: str, area_code: str) -> str:
    if not _DIALLED.fullmatch(user):
        return ""
    if user.startswith("+0"):  # a gateway's "+" put before a national or 00 form
        user = user[1:]
    if region == "CN" and (mobile := _CHINA_MOBILE.fullmatch(user)):
        return f"+86{mobile[1]}"
    if number := _valid(user, region):
        return number
    if region == "CN" and (mobile := _PLUS_MOBILE.fullmatch(user)):
        return f"+86{mobile[1]}"
    local = _CHINA_LOCAL if region == "CN" else _DIALLED
    if area_code and local.fullmatch(user):
        return _valid(area_code + user, region)
    return ""


def _valid(digits: str, region: str) -> str:
    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(parsed):
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
