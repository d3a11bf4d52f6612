"""An item comes and goes, by itself or by a hand from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.acd import Policy
from engine.acd.offer import OfferEvent
from tests.acd.model.ahead import Ahead
from tests.acd.model.records import NEVER, ModelItem, after, hand_of


class Items(Ahead):
    """Each verb answers as Redis does."""

    def enqueue(
        self,
        id_: str,
        engine: str,
        queue: str,
        policy: Policy,
        *,
        hold_ms: int = 0,
        replaces: str = "",
        waited_ms: int = 0,
        **asked: Any,
    ) -> tuple[int | str, int]:
        """Its position, or why it was refused; how long it counts as having waited, where that is more than said."""
        known = self.items.get(id_)
        if known is not None:
            for offer in known.offers if known.state == "offered" else ():
                self._tell(known.engine, "offer", offer.token, offer.agent)
            return self._placed(known, waited_ms)
        if policy.id not in self.policies:
            self.intern(policy)
        other = self.items.get(replaces)
        if other is not None and other.state == "talking":
            other = None
        item = self._comes(
            ModelItem(id_, queue, policy, engine, self.now, self._next()), other, hold_ms, waited_ms=waited_ms, **asked
        )
        why = "" if hold_ms else self._refusal(item, other)
        if why:
            return why, 0
        if self.places.pop(f"{queue}|{item.who}", None) is not None:
            self.timers.pop(f"place:{queue}|{item.who}", None)
        self.items[id_] = item
        if hold_ms:
            item.state, item.back_at = "deferred", self.now + hold_ms
        elif not self._match(item):
            self._start_waiting(item)
        self._arm_item(item)
        if other is not None:
            self._release(other, "replaced", f"item:{id_}")
        return self._placed(item, waited_ms)

    def _placed(self, item: ModelItem, said_ms: int) -> tuple[int, int]:
        waited_ms = self.now - item.at
        return self.position(item.id), waited_ms if waited_ms > said_ms else 0

    def _comes(
        self, item: ModelItem, other: ModelItem | None, hold_ms: int, *, waited_ms: int, head_start_ms: int = 0,
        served_within_ms: int = 0,
        preferred: str = "", patience_ms: int = 0, exclude: Mapping[str, int] | None = None, who: str = "",
        closes_in_ms: int | None = None,
    ) -> ModelItem:  # fmt: skip
        """Since when it counts as waiting, until when it may, and where it stands first."""
        policy = item.policy
        item.at, item.head, item.who, item.preferred = self.now - waited_ms, head_start_ms, who, preferred
        item.excluded = {agent: self.now + ms for agent, ms in (exclude or {}).items()}
        if who:
            item.at = min(item.at, self.places.get(f"{item.queue}|{who}", item.at))
        if other is not None:
            if other.at <= item.at:
                item.at, item.seq = other.at, other.seq
            item.head, item.strict = max(item.head, other.head), max(item.strict, other.strict)
        self._set_limits(item, hold_ms, closes_in_ms)
        limits = [limit for limit in (policy.served_within_ms, served_within_ms) if limit]
        if limits:
            item.urgent_at = item.at + min(limits)
        if preferred and patience_ms:
            item.step, item.patience_until = 0, self.now + patience_ms
        self._place_in_steps(item)
        item.line, item.score = self.line(item, item.step), self.score(item)
        return item

    def _set_limits(self, item: ModelItem, put_off_ms: int, closes_in_ms: int | None) -> None:
        """The longest wait begins when it is back from being put off."""
        if item.policy.max_wait_ms:
            item.longest_at = self.now + put_off_ms + item.policy.max_wait_ms
        self._set_closing(item, closes_in_ms)

    def _set_closing(self, item: ModelItem, closes_in_ms: int | None) -> None:
        item.limit_at, item.limit_why = item.longest_at, "timed_out" if item.longest_at else ""
        if closes_in_ms is not None and (not item.limit_at or self.now + closes_in_ms <= item.limit_at):
            item.limit_at, item.limit_why = self.now + closes_in_ms, "closed"

    def closes(self, id_: str, closes_in_ms: int | None) -> bool:
        item = self.items.get(id_)
        if item is None or item.state == "talking":
            return False
        if item.state == "deferred" and closes_in_ms is not None and self.now + closes_in_ms <= item.back_at:
            return True  # before it is back
        self._set_closing(item, closes_in_ms)
        if item.state == "waiting" and self.over(item):
            self._release(item, item.limit_why)
        else:
            self._arm_item(item)
        return True

    def repolicy(self, id_: str, policy: Policy) -> bool:
        item = self.items.get(id_)
        if item is None or item.state == "talking":
            return False
        if policy.id == item.policy.id:
            return True
        if policy.id not in self.policies:
            self.intern(policy)
        item.policy, item.step = policy, min(item.step, 1)
        item.urgent_at = item.at + policy.served_within_ms if policy.served_within_ms else NEVER
        self._place_in_steps(item)
        self._stand(item, self.line(item, item.step), self.score(item))
        if item.state != "deferred":
            self._match(item)
        self._arm_item(item)
        return True

    def _refusal(self, item: ModelItem, other: ModelItem | None) -> str:
        if self.over(item):
            return item.limit_why
        why, most = self._nobody(item), item.policy.capacity
        full = most and other is None and len(self.in_queue(item.queue)) >= most
        return "full" if not why and full and not self._choices(item)[0] else why

    def withdraw(self, id_: str, engine: str, reason: str, keep_place: bool = False) -> bool:
        item = self.items.get(id_)
        if item is None or item.state == "talking":
            return False
        if keep_place and item.who and item.policy.place_kept_ms:
            place = f"{item.queue}|{item.who}"
            self.places[place] = min(item.at, self.places.get(place, item.at))
            self.timers[f"place:{place}"] = self.now + item.policy.place_kept_ms
        offers = self._take_back(item, reason, told=item.engine != engine)
        self._delete(item)
        if item.engine != engine:
            self._tell(item.engine, "released", id_, reason)
        self._free(offers)
        return True

    def leave(self, id_: str) -> bool:
        item = self.items.get(id_)
        if item is None or not item.offers or after(item.offers[0], OfferEvent.LEAVE) is None:
            return False
        self._delete(item)
        token, agent = item.offers[0].token, self.agents[item.offers[0].agent]
        if item.policy.wrapup_ms:
            self._set_hand(agent, hand_of(agent, token), "wrapup", self.now + item.policy.wrapup_ms)
            self._arm_wrapup(agent)
        else:
            self._drop_hand(agent, token)
        self._settle(agent)
        return True

    def release(self, id_: str, reason: str, target: str) -> bool:
        item = self.items.get(id_)
        if item is None or item.state == "talking":
            return False
        self._release(item, reason, target)
        return True

    def defer(self, id_: str, engine: str, ms: int, reason: str, closes_in_ms: int | None = None) -> bool:
        item = self.items.get(id_)
        if item is None or item.state == "talking":
            return False
        offers = self._take_back(item, reason, told=item.engine != engine)
        item.state, item.in_line, item.back_at = "deferred", False, self.now + ms
        self._set_limits(item, ms, closes_in_ms)
        self._arm_item(item)
        self._free(offers)
        return True

    def adopt(self, engine: str, by: str) -> None:
        for item in self.items.values():
            if item.engine == engine:
                item.engine = by

    def assign(self, id_: str, agent_id: str) -> str:
        """Nothing, or why not."""
        item, agent = self.items.get(id_), self.agents.get(agent_id)
        if item is None:
            return "gone"
        if item.state == "talking":
            return "talking"
        if agent is None:
            return "unknown_agent"
        if any(offer.agent == agent_id for offer in item.offers):
            return "rings"
        if not self.routable(agent, item.policy.kind):
            return "not routable"
        offers = self._take_back(item, "assigned", told=True)
        if item.state == "deferred":
            item.back_at = NEVER
            self._place_in_steps(item)
            item.line, item.score = self.line(item, item.step), self.score(item)
        item.excluded.pop(agent_id, None)
        item.sole = True
        self._reserve(item, agent, "hand")
        self._arm_item(item)
        self._settle(agent)
        self._free(offers)
        return ""

    def reprioritise(self, id_: str, head_start_ms: int, strict: int) -> bool:
        item = self.items.get(id_)
        if item is None or item.state == "talking":
            return False
        item.head, item.strict = head_start_ms, strict
        if item.state != "deferred":
            self._stand(item, item.line, self.score(item))
        return True
