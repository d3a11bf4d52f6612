"""Who is about to be free: what may be reserved for an agent before their wrap-up ends."""

from __future__ import annotations

from dataclasses import replace

from tests.acd.model.offers import Offers
from tests.acd.model.records import ModelAgent, ModelHand, hand_of


class Ahead(Offers):
    """A reservation ahead lasts while the agent is about to be free, no later than was said."""

    def _when_free(self, agent: ModelAgent, but: ModelHand | None = None) -> tuple[int, ModelAgent]:
        """From when on no wrap-up keeps calls from them, and they as they will be then, without the hand `but`."""
        ends = [
            hand
            for hand in agent.hands
            if hand.work == "wrapup" and (hand.kind == "voice" or "voice" not in self.interrupting)
        ]
        from_ = max([self.now, *(hand.until for hand in ends)])
        return from_, replace(agent, hands=[hand for hand in agent.hands if hand not in ends and hand is not but])

    def _watch_wrapup(self, agent: ModelAgent) -> None:
        from_, then = self._when_free(agent)
        if self.longest_ahead and from_ > self.now and self.routable(then, "voice"):
            self.timers[f"ahead:{agent.id}"] = max(from_ - self.longest_ahead, self.now)

    def _ahead_expired(self, id_: str) -> None:
        """They look for what would be theirs if they were free."""
        agent = self.agents.get(id_)
        if agent is None:
            return
        from_, then = self._when_free(agent)
        items = self._would_get(agent, {kind for kind in agent.terms.takes if self.routable(then, kind)})
        if from_ <= self.now or not items:
            return
        item = min(items, key=lambda item: (item.score, item.seq))
        due = from_ - item.policy.ahead_ms
        if item.policy.ahead_ms and due > self.now:
            self.timers[f"ahead:{id_}"] = due
        elif item.policy.ahead_ms:
            agent.idle_since = from_
            self._reserve(item, agent, "ahead", from_)
            self._settle(agent)

    def _review_ahead(self, agent: ModelAgent) -> None:
        ahead = next((hand for hand in agent.hands if hand.work == "reserved" and hand.until > self.now), None)
        if ahead is None:
            agent.idle_since = agent.idle_since if agent.idle_since <= self.now else 0
            return
        from_, then = self._when_free(agent, ahead)
        if from_ > ahead.until or not self.routable(then, "voice"):
            self._take_back_ahead(agent, ahead.token)
        elif from_ < ahead.until:
            item, _ = self._find(ahead.token)
            assert item is not None
            ahead.until = agent.idle_since = from_
            self._tell(item.engine, "sooner", ahead.token, agent.id)

    def _take_back_ahead(self, agent: ModelAgent, token: str) -> None:
        item, offer = self._find(token)
        assert item is not None
        assert offer is not None
        agent.hands.remove(hand_of(agent, token))
        agent.idle_since = 0
        del self.timers[f"lease:{token}"]
        item.offers.remove(offer)
        self._tell(item.engine, "cancelled", token, "not_free")
        self._put_back(item)
