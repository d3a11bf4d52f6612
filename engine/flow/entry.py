"""A number keyed in: how long it may be, what ends it, and how long a caller may take over it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from engine.config.units import Seconds, Written
from engine.flow.leg import Leg
from engine.flow.visit import Visit

Ending = Annotated[str, StringConstraints(pattern=r"^[0-9*#]?$")]


class EntryState(StrEnum):
    """Where an entry is. `typing` is the only one that goes on."""

    TYPING = "typing"
    COMPLETE = "complete"
    TOO_SHORT = "too_short"
    SILENCE = "silence"


# What a caller hears whose entry was not complete.
CORRECTIONS = {EntryState.SILENCE: "no-input", EntryState.TOO_SHORT: "too-short"}
# What stands around an entry that is said back to have it confirmed.
CONFIRMATION = ("you-entered", "press-1-to-confirm")


class Entry(Written):
    """What may be keyed in.

    `end`: the key that ends it, never part of it; "" for none. `again`: the key that begins it anew; "" for none.
    Without an end key an entry is complete at `max`, or when `between` has passed and `min` keys are there.
    """

    min: int = Field(default=1, ge=1, le=32)
    max: int = Field(default=20, ge=1, le=32)
    end: Ending = "#"
    again: Ending = ""
    first: Seconds = 8.0
    between: Seconds = 4.0
    total: Seconds = 30.0

    @model_validator(mode="after")
    def _possible(self) -> Entry:
        if self.min > self.max:
            raise ValueError(f"`min: {self.min}` is more than `max: {self.max}`")
        if self.end and self.end == self.again:
            raise ValueError(f"`end` and `again` cannot be the same key, {self.end}")
        return self


class Keying:
    """One entry in the making: a state machine of keys and silences, without a clock of its own."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self.keys = ""
        self.state = EntryState.TYPING

    def press(self, key: str) -> EntryState:
        """A key has come."""
        entry = self._entry
        if key == entry.end and entry.end:
            self.state = self._complete_or(EntryState.TOO_SHORT)
        elif key == entry.again and entry.again:
            self.keys = ""
        else:
            self.keys += key
            if len(self.keys) >= entry.max:
                self.state = EntryState.COMPLETE
        return self.state

    def pause(self) -> EntryState:
        """No key came for as long as one may take: what is there counts if it is enough."""
        self.state = self._complete_or(EntryState.TOO_SHORT if self.keys else EntryState.SILENCE)
        return self.state

    def patience_s(self) -> float:
        """How long to wait for the next key, in seconds."""
        return self._entry.between if self.keys else self._entry.first

    def _complete_or(self, otherwise: EntryState) -> EntryState:
        return EntryState.COMPLETE if len(self.keys) >= self._entry.min else otherwise


async def key_in(leg: Leg, entry: Entry) -> Keying:
    """Takes keys from the leg until the entry is complete or the caller has taken too long. Raises HungUp."""
    loop = asyncio.get_running_loop()
    until = loop.time() + entry.total
    keying = Keying(entry)
    while keying.state is EntryState.TYPING:
        left = until - loop.time()
        key = await leg.digit(min(keying.patience_s(), left)) if left > 0 else None
        if key is None:
            keying.pause()
        else:
            keying.press(key)
    if keying.state is EntryState.COMPLETE and len(keying.keys) == entry.max and entry.end:
        leg.digits.ignore_next(entry.end)
    return keying


async def ask_for(visit: Visit, prompts: Sequence[str], entry: Entry) -> Keying:
    """Asks once and takes the keys; a caller whose entry is not complete hears what was wrong. Raises HungUp."""
    await visit.say(prompts)
    keying = await key_in(visit.leg, entry)
    if keying.state is not EntryState.COMPLETE:
        await visit.say([CORRECTIONS[keying.state]])
    return keying


async def confirmed(visit: Visit, spoken: Sequence[str], wait_s: float) -> bool:
    """Says an entry back; whether the caller presses 1 within `wait_s` seconds. Raises HungUp."""
    before, behind = CONFIRMATION
    await visit.say([before, *spoken, behind])
    return await visit.leg.digit(wait_s) == "1"
