"""Which numbers a hotline calls back when anybody may key one in."""

from __future__ import annotations

import re
from collections.abc import Sequence

import phonenumbers
from phonenumbers import PhoneNumberType

REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)

# No premium rate, no shared cost, no satellites: whoever keys those in wants the company to pay for the call.
_ORDINARY = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
# Mobiles of segments that are newer than the tables (engine/identity/numbers.py).
_CHINA_MOBILE = re.compile(r"\+861[3-9]\d{9}")


def may_be_called(number: str, countries: Sequence[str]) -> bool:
    """Whether an E.164 number, or "", is an ordinary phone in one of `countries` (ISO 3166, such as CN and HK)."""
    if _CHINA_MOBILE.fullmatch(number):
        return "CN" in countries
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    region = phonenumbers.region_code_for_number(parsed)
    return region in countries and phonenumbers.number_type(parsed) in _ORDINARY
