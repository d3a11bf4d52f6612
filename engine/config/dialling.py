"""From what a flow or a caller names to what is dialled: the one way out of the hotline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.config.models import HotlineFile
from engine.config.trunks import Trunk, dialable

Why = Literal["no_number", "own_number", "no_trunk", "not_listed", "denied", "premium_rate"]

# What the admin can do about it; for the checker, and for whoever asks why a call was refused.
REMEDIES: Mapping[Why, str] = {
    "no_number": "is no number that can be dialled; write it as +8613800138000",
    "own_number": "is one of our own numbers: the call would come back to us; use the flow itself",
    "no_trunk": "cannot be dialled: no such trunk has `outbound` in dialplan/hotline.yaml",
    "not_listed": "is not allowed by any trunk; add it to a trunk's outbound.allow in dialplan/hotline.yaml",
    "denied": "is denied by an entry with ! in the trunk's outbound.allow",
    "premium_rate": "is a premium-rate number; list it in full in outbound.allow if it really is meant",
}


class NotAllowed(Exception):  # noqa: N818 - said of the number
    """A number that must not be dialled."""

    def __init__(self, number: str, why: Why) -> None:
        super().__init__(f"`{number}` {REMEDIES[why]}")
        self.number = number
        self.why = why


@dataclass(frozen=True, slots=True)
class Way:
    """A trunk that may carry the call, and what the carrier is sent."""

    number: str  # E.164, or a short number
    trunk: str
    dialled: str
    caller_id: str
    most_calls: int

    @property
    def endpoint(self) -> str:
        """For Asterisk's Dial or ARI; holds digits, `+` and the trunk's name only."""
        return f"PJSIP/{self.dialled}@{self.trunk}"


def ways_out(hotline: HotlineFile, text: str, trunk: str | None = None) -> tuple[Way, ...]:
    """Every trunk (or only the one named) that may carry a call to `text`, in the order of the file.

    Raises NotAllowed.
    """
    trunks = {name: of for name, of in hotline.trunks.items() if of.outbound and trunk in (None, name)}
    if not trunks:
        raise NotAllowed(_shown(text), "no_trunk")
    found: list[Way] = []
    refusal = NotAllowed(_shown(text), "no_number")
    for name, of in trunks.items():
        try:
            found.append(_way(hotline, text, name, of))
        except NotAllowed as why:
            refusal = why
    if not found:
        raise refusal
    return tuple(found)


def _way(hotline: HotlineFile, text: str, name: str, trunk: Trunk) -> Way:
    outbound, area_code = trunk.outbound, trunk.area_code or hotline.area_code
    assert outbound is not None  # noqa: S101 - ways_out looks only at those that have it
    number = dialable(text, region=trunk.region, area_code=area_code)
    if not number:
        raise NotAllowed(_shown(text), "no_number")
    if number in {dialable(own, region=trunk.region, area_code=area_code) for own in hotline.numbers}:
        raise NotAllowed(number, "own_number")
    if why := outbound.why_not(number):
        raise NotAllowed(number, why)
    return Way(number, name, outbound.dialled(number, trunk.region), outbound.caller_id, outbound.most_calls)


def _shown(text: str) -> str:
    """What a caller typed, fit for a log."""
    return "".join(letter for letter in text[:32] if letter.isprintable())
