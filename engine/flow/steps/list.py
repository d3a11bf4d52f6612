"""`list`: is this caller on a list?

blocked:
  list: block
  when: {listed: refuse}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from engine.flow.steps.base import Outcome, Step
from engine.flow.visit import Visit


class List(Step):
    """Looks for the caller's number on a list of lists.yaml: among what is written there, and among what an operator
    has added with `hotline lists add`. A list with a tier gives it to its callers (`customer.tier`).

    Callers without a number are on no list. Sets `list.reason`.
    """

    kind: ClassVar[str] = "list"
    silent: ClassVar[bool] = True
    outcomes: ClassVar[tuple[str, ...]] = ("listed", "not_listed")
    list: str

    async def run(self, visit: Visit) -> Outcome:
        """On it or not."""
        written, number, at = visit.site.lists[self.list], visit.caller.number, visit.now()
        entry = visit.services.orders.entry(self.list, number, at) or written.entry(number, at)
        visit.variables["list.reason"] = entry.reason if entry else ""
        if entry is None:
            return self.go("not_listed")
        if written.tier:
            visit.variables["customer.tier"] = written.tier
        return self.go("listed", entry.reason)

    def sets(self) -> Sequence[str]:
        """Why, and who they are by it."""
        return ("list.reason", "customer.tier")
