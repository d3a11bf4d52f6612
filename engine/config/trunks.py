"""What may be dialled to the outside: nothing, unless the admin lists it.

Toll fraud is a caller who gets a hotline to dial a number that pays them. So a list allows, it never merely forbids;
a wildcard must name its country; and what costs more than a call, or sends out an ambulance, must be listed in full.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import phonenumbers
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from engine.config.units import Written
from engine.identity.numbers import normalise

_WRITTEN = re.compile(r"(?P<wild>\+\d{1,14}\*)|(?P<full>\+\d{6,15})|(?P<short>\d{3,8})")
# Separators that people write, and customers' databases hold.
_SEPARATORS = re.compile(r"[\s\-().]")
_SECTION = re.compile(r"^\[(?P<name>[^]]+)\](?:\((?P<inherits>[^)]*)\))?", re.MULTILINE)
_SHORT = re.compile(r"\d{3,8}")


def _entry(text: str) -> str:
    """`+86*`, `+8675588881234`, `10086`, or one of them behind `!`."""
    match = _WRITTEN.fullmatch(text.removeprefix("!"))
    if match is None:
        raise ValueError(
            f"`{text}` is no number here; write +8613800138000, a short number such as 10086, or the beginning of "
            "numbers with their country: +86*, with ! before what is not allowed"
        )
    if match["wild"] and not text.startswith("!") and not _country(match["wild"]):
        raise ValueError(f"`{text}` begins with no country's code; write one, such as +86* or +852*")
    return text


def _country(wildcard: str) -> bool:
    codes = (wildcard[1 : 1 + length].rstrip("*") for length in (1, 2, 3))
    return any(code and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE for code in codes)


Entry = Annotated[str, AfterValidator(_entry)]
Shown = Annotated[str, StringConstraints(pattern=r"^\+?\d{3,20}$")]


Denial = Literal["denied", "not_listed", "premium_rate"]


class Outbound(Written):
    """What a trunk may be used for by the hotline itself; without it, for nothing."""

    allow: list[Entry] = Field(min_length=1)
    caller_id: Shown
    most_calls: int = Field(default=10, ge=1, le=10_000)
    dial: Literal["national", "e164"] = "national"

    def why_not(self, number: str) -> Denial | None:
        """Why `number` (E.164, or a short number) must not be dialled; None when it may be."""
        if any(_covers(entry[1:], number) for entry in self.allow if entry.startswith("!")):
            return "denied"
        if number in self.allow:
            return None
        if not any(_covers(entry, number) for entry in self.allow):
            return "not_listed"
        return "premium_rate" if _is_premium(number) else None

    def dialled(self, number: str, region: str) -> str:
        """`number` as this carrier wants it: as one dials it within `region` (013… is 13…, +44… is 0044…), or
        as E.164. Digits and a leading `+` only."""
        if self.dial == "e164" or not number.startswith("+"):
            return number
        local = phonenumbers.format_out_of_country_calling_number(phonenumbers.parse(number), region)
        return re.sub(r"\D", "", local)


AreaCode = Annotated[str, StringConstraints(pattern=r"^0?\d{1,5}$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^[0-9*#]{1,10}$")]


class Trunk(Written):
    """A carrier of sip_trunks/; the key is its endpoint's name there.

    How it writes its callers' numbers: `region` is its country (ISO 3166), by which national numbers are read;
    `area_code` completes local landline numbers; `strip` are digits that it puts before every number.
    """

    region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "CN"
    area_code: AreaCode | None = None
    strip: list[Prefix] = Field(default_factory=list)
    outbound: Outbound | None = None


class Branch(Written):
    """An extension that is no agent's: an outside number, or a SIP phone that registers under the extension."""

    name: str
    number: str | None = None
    password: Annotated[str, StringConstraints(min_length=12)] | None = None
    contact: Annotated[str, StringConstraints(pattern=r"^sips?:[^\s;,]+$")] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Branch:
        if self.number is not None and (self.password or self.contact):
            raise ValueError("`number` is dialled through a trunk; `password` and `contact` are a phone's: not both")
        return self


def dialable(text: str, *, region: str = "CN", area_code: str | None = None) -> str:
    """What is meant by `text`, whoever wrote it: E.164, a short number, or "" when it is no number.

    Only what comes out of here may be put into a dial string: it is a `+` and digits, or digits.
    """
    number = normalise(text, region=region, area_code=area_code).number
    if number:
        return number
    plain = _SEPARATORS.sub("", text)
    return plain if plain.isascii() and _SHORT.fullmatch(plain) else ""


def carriers(folder: Path) -> set[str]:
    """The names of the sections in a site's sip_trunks/*.conf, templates aside: what a trunk may be called."""
    files = [path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.glob("sip_trunks/*.conf"))]
    sections = (match for text in files for match in _SECTION.finditer(text))
    return {match["name"] for match in sections if "!" not in (match["inherits"] or "")}


def _covers(entry: str, number: str) -> bool:
    return number.startswith(entry[:-1]) if entry.endswith("*") else number == entry


@lru_cache(maxsize=1024)
def _is_premium(number: str) -> bool:
    if not number.startswith("+"):
        return False
    kind = phonenumbers.number_type(phonenumbers.parse(number))
    return bool(kind == phonenumbers.PhoneNumberType.PREMIUM_RATE)
