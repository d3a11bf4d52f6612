"""What happens because time passed."""

from __future__ import annotations

from engine.acd import Missed
from engine.acd.offer import OfferEvent
from tests.acd.model.items import Items
from tests.acd.model.records import NEVER, after
from tests.acd.model.steps import AFTER_A_MOMENT


class Model(Items):
    """The whole of it: whoever is due, in the order of their times and then of their names."""

    def tick(self) -> int:
        due = sorted((at, timer) for timer, at in self.timers.items() if at <= self.now)
        for _, timer in due:
            del self.timers[timer]
        for _, timer in due:
            kind, _, subject = timer.partition(":")
            getattr(self, f"_{kind}_expired")(subject)
        return len(due)

    def _lease_expired(self, token: str) -> None:
        item, offer = self._find(token)
        if item is not None and offer is not None and after(offer, OfferEvent.LAPSE) is not None:
            self._missed(item, offer, Missed.LEASE)

    def _cool_expired(self, id_: str) -> None:
        if id_ in self.agents:
            self._settle(self.agents[id_])

    def _place_expired(self, place: str) -> None:
        self.places.pop(place, None)

    def _item_expired(self, id_: str) -> None:
        item = self.items.get(id_)
        if item is None or item.state == "talking":
            return
        if item.state == "deferred":
            if item.back_at > self.now:
                self._arm_item(item)
                return
            item.back_at = NEVER
            self._place_in_steps(item)
            item.line = self.line(item, item.step)
            self._start_waiting(item)
        if item.state == "waiting" and self.over(item):
            self._release(item, item.limit_why)
            return
        self._relax(item)
        if self.score(item) != item.score:
            self._stand(item, item.line, self.score(item))
        self._match(item)
        self._arm_item(item)

    def _absent_expired(self, line: str) -> None:
        """Nobody is logged in for this line: its waiting move on to a step where somebody is, or out."""
        if self.staffed(line):
            return
        for standing in self.in_line(line):
            item = self.items.get(standing.id)
            if item is None:
                continue
            why = self._nobody(item) if item.state == "waiting" else ""
            if why:
                self._release(item, why)
            else:
                self._relax(item)
                self._match(item)
                self._arm_item(item)
        if self.in_line(line):
            self.timers.setdefault(f"absent:{line}", self.now + AFTER_A_MOMENT)
