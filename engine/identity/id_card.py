"""Resident identity numbers: 18 characters, the last of which tells mistyped ones (GB 11643-1999)."""

from __future__ import annotations

import re

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

_SHAPE = re.compile(r"[1-9][0-9]{16}[0-9X]")


def is_id_card(text: str) -> bool:
    """Whether this can be somebody's number: its shape, its day of birth, its check character.

    Not the place: people are registered in counties that were founded after their birth.
    """
    if not _SHAPE.fullmatch(text) or ric.calc_check_digit(text) != text[-1]:
        return False
    try:
        ric.get_birth_date(text)
    except ValidationError:
        return False
    return True
