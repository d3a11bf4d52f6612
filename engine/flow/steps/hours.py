"""`hours`: is anybody there?

open:
  hours: office
  when: {closed: night, holiday: holiday}
  then: menu
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from engine.flow.steps.announcement import say_if_there
from engine.flow.steps.base import Next, Outcome, Step
from engine.flow.visit import Visit
from engine.hours import Closed, Open, State, Why

OUTCOMES = {Why.HOURS: "closed", Why.NOT_IN_FORCE: "closed", Why.HOLIDAY: "holiday", Why.FORCED: "forced"}


class Hours(Step):
    """Asks a calendar of calendars.yaml, or the operator who has forced it open or closed; the message that came
    with that is said first.

    Without a branch of their own, `holiday` and `forced` go where `closed` goes. Sets `hours.holiday` (its name),
    `hours.opens_date` (2026-10-08) and `hours.opens_time` (09:00), empty where there is nothing to say.
    """

    kind: ClassVar[str] = "hours"
    silent: ClassVar[bool] = True
    outcomes: ClassVar[tuple[str, ...]] = ("open", "closed", "holiday", "forced")
    hours: str

    async def run(self, visit: Visit) -> Outcome:
        """Open, or why not. Raises HungUp."""
        orders, at = visit.services.orders, visit.now()
        state = orders.state(visit.site.calendars[self.hours], at)
        visit.variables |= _facts(state)
        forced = orders.hours(self.hours, at)
        if forced is not None and forced.say:
            await say_if_there(visit, forced.say)
        if isinstance(state, Open):
            return self.go("open", "forced" if state.forced else "")
        return self.go(OUTCOMES[state.why], _detail(state))

    def go(self, outcome: str, detail: str = "") -> Next:
        """A closed day without a branch of its own is closed all the same."""
        way = super().go(outcome, detail)
        if outcome != "open" and outcome not in self.when and "closed" in self.when:
            return Next(self.when["closed"], way.outcome)
        return way

    def goes_below(self) -> bool:
        """Unless open and closed both lead elsewhere."""
        return self.then is None and not {"open", "closed"} <= self.when.keys()

    def sets(self) -> Sequence[str]:
        """What can be said of a closed day."""
        return ("hours.holiday", "hours.opens_date", "hours.opens_time")


def _facts(state: State) -> dict[str, str]:
    closed = state if isinstance(state, Closed) else Closed(Why.HOURS)
    return {
        "hours.holiday": closed.name if closed.why is Why.HOLIDAY else "",
        "hours.opens_date": f"{closed.opens_at:%Y-%m-%d}" if closed.opens_at else "",
        "hours.opens_time": f"{closed.opens_at:%H:%M}" if closed.opens_at else "",
    }


def _detail(closed: Closed) -> str:
    opens = f"opens {closed.opens_at:%Y-%m-%d %H:%M}" if closed.opens_at else ""
    return ", ".join(filter(None, (closed.name, opens)))
