"""What a simulated caller does, as it is written: `1,wait 3,2#`."""

from __future__ import annotations

import re
from dataclasses import dataclass

HOW = "write keys (1, 2#), `wait 3` (seconds), `silence` (one question unanswered) or `hangup`, with commas between"

_KEYS = re.compile(r"[0-9*#]{1,64}")
_WAIT = re.compile(r"wait\s+(\d{1,5}(?:\.\d{1,3})?)\s*s?")


class BadKeys(ValueError):  # noqa: N818 - said to the person who typed them
    """What is written cannot be read; says which part, and what there is."""


@dataclass(frozen=True, slots=True)
class Press:
    """Keys: when the hotline has asked and listens; behind a `wait` as soon as that is over, whatever is being said."""

    keys: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Some seconds pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Silence:
    """The hotline asks, and hears nothing."""


@dataclass(frozen=True, slots=True)
class Leave:
    """The caller hangs up: when the hotline has asked; behind a `wait`, as soon as that is over."""


Act = Press | Wait | Silence | Leave


def read_keys(text: str) -> tuple[Act, ...]:
    """Raises BadKeys."""
    return tuple(_act(part.strip().lower()) for part in text.split(",") if part.strip())


def _act(part: str) -> Act:
    if _KEYS.fullmatch(plain := part.replace(" ", "")):
        return Press(plain)
    if waits := _WAIT.fullmatch(part):
        return Wait(float(waits[1]))
    if part == "silence":
        return Silence()
    if part in ("hangup", "hang up"):
        return Leave()
    raise BadKeys(f"`{part}` is nothing that a caller does: {HOW}")
