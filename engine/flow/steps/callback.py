"""`callback`: offer to call the caller back.

offer:
  callback: sales
  when: {accepted: goodbye, declined: sales, not_possible: sales}
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from engine.callbacks import REGIONS, may_be_called
from engine.callbacks import Callback as Request
from engine.config.dialling import NotAllowed, ways_out
from engine.config.units import Seconds
from engine.flow.claim import head_start_s
from engine.flow.entry import CONFIRMATION, CORRECTIONS, Entry, EntryState, ask_for, confirmed
from engine.flow.steps.base import Outcome, Step
from engine.flow.visit import Visit
from engine.identity.numbers import normalise
from engine.journal.events import CallbackRequested, IvrDigit, IvrEntered
from engine.orders.standing import milliseconds
from engine.speech import Kind, prompts_for

OWN, OTHER, NO = "1", "2", "#"
OFFER, ENTER = "callback-offer", "enter-phone-number"
ACCEPTED, NOT_POSSIBLE, WRONG = "callback-accepted", "callback-not-possible", "invalid-key"
NUMBER = Entry(min=7, max=16)


def _country(code: str) -> str:
    if code not in REGIONS:
        raise ValueError(f"{code!r} is no country; write it like CN, HK or MO (ISO 3166)")
    return code


class Callback(Step):
    """Offers a call back by the agents of a queue: on the number that the caller calls from (1), on another one, keyed
    in and confirmed (2), or not at all (#, or silence).

    Only ordinary phones in `countries` are called back, so that nobody can have the company call what costs it money;
    and where the engine makes the call, only what a trunk may dial. A number has one open request a queue, however
    often its owner asks (`hotline callbacks`). Who has waited keeps their place.
    """

    kind: ClassVar[str] = "callback"
    outcomes: ClassVar[tuple[str, ...]] = ("accepted", "declined", "not_possible")
    callback: str
    offer: list[str] = Field(default=[OFFER], min_length=1)
    countries: list[Annotated[str, AfterValidator(_country)]] = Field(default=["CN"], min_length=1)
    wait: Seconds = 5.0
    tries: int = Field(default=3, ge=1, le=5)

    async def run(self, visit: Visit) -> Outcome:
        """The caller's decision. Raises HungUp."""
        for _ in range(self.tries):
            await visit.say(self.offer)
            key = await visit.leg.digit(self.wait)
            if key is not None:
                visit.note(IvrDigit, digit=key)
            if key == OWN and self._possible(visit, visit.caller.number):
                return await self._accepted(visit, visit.caller.number)
            if key in (OWN, OTHER):  # who calls anonymously has no other number to offer
                return await self._other(visit)
            if key in (NO, None):
                return self.go("declined", "silence" if key is None else "")
            await visit.say([WRONG])
        return self.go("declined", "wrong key")

    async def _other(self, visit: Visit) -> Outcome:
        for _ in range(self.tries):
            entry = await ask_for(visit, [ENTER], NUMBER)
            if entry.state is not EntryState.COMPLETE:
                continue
            visit.note(IvrEntered, keys=entry.keys, length=len(entry.keys))
            number = normalise(entry.keys, area_code=visit.site.hotline.area_code).number
            if not self._possible(visit, number):
                await visit.say([NOT_POSSIBLE])
                continue
            # The caller hears the number that will be called, not the keys.
            if await confirmed(visit, prompts_for(Kind.PHONE, number, visit.leg.language), self.wait):
                return await self._accepted(visit, number)
        return self.go("not_possible", f"{self.tries} tries")

    def _possible(self, visit: Visit, number: str) -> bool:
        if not may_be_called(number, self.countries):
            return False
        callbacks = visit.site.queues[self.callback].callbacks
        if callbacks is None:  # somebody calls them by hand
            return True
        try:
            return bool(ways_out(visit.site.hotline, number, callbacks.trunk))
        except NotAllowed:
            return False

    async def _accepted(self, visit: Visit, number: str) -> Outcome:
        asked_ms = milliseconds(visit.now())
        wanted = Request(
            id=f"{visit.call_id}-{secrets.token_hex(2)}",
            call_id=visit.call_id,
            queue=self.callback,
            number=number,
            asked_ms=asked_ms,
            placed_ms=visit.placed_ms() or asked_ms,
            head_start_ms=round(head_start_s(visit.site, visit.variables) * 1000),
            require=str(visit.variables.get("route.require") or ""),
            language=visit.leg.language,
            name=str(visit.variables.get("customer.name") or ""),
        )
        visit.note(
            CallbackRequested,
            callback=wanted.id,
            queue=wanted.queue,
            number=wanted.number,
            placed_ms=wanted.placed_ms,
            head_start_ms=wanted.head_start_ms,
            require=wanted.require,
            language=wanted.language,
        )
        visit.services.callbacks.ask(wanted)
        visit.set("callback.number", number)
        await visit.say([ACCEPTED])
        return self.go("accepted")

    def queues(self) -> Sequence[str]:
        """The one whose agents will call."""
        return [self.callback]

    def prompts(self) -> Sequence[str]:
        """All that may be said."""
        return [*self.offer, ENTER, *CONFIRMATION, ACCEPTED, NOT_POSSIBLE, WRONG, *CORRECTIONS.values()]

    def says_values(self) -> bool:
        """The number, to have it confirmed."""
        return True
