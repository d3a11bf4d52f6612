"""The life of an offer after it was made."""

from __future__ import annotations

from engine.acd import Missed
from engine.acd.offer import DND_AFTER, TREATMENTS, OfferEvent
from tests.acd.model.agents import Agents
from tests.acd.model.records import ModelAgent, ModelItem, ModelOffer, after, hand_of


class Offers(Agents):
    """First to answer wins; whose offer is taken back pays nothing."""

    def ringing(self, token: str) -> bool:
        item, offer = self._find(token)
        moved = after(offer, OfferEvent.RING)
        if item is None or offer is None or moved is None:
            return False
        if moved != offer.state:
            offer.state = moved
            agent = self.agents[offer.agent]
            self._set_hand(agent, hand_of(agent, token), "ringing")
        return True

    def accept(self, token: str) -> bool:
        item, offer = self._find(token)
        moved = after(offer, OfferEvent.ACCEPT)
        if item is None or offer is None or moved is None:
            return False
        if moved == offer.state:
            return True
        offer.state = moved
        losers = [other for other in item.offers if other is not offer]
        item.offers, item.state, item.in_line = [offer], "talking", False
        del self.timers[f"lease:{token}"]
        self._arm_item(item)
        agent = self.agents[offer.agent]
        self._set_hand(agent, hand_of(agent, token), "talking")
        agent.ignored = agent.dnds = agent.idle_since = 0
        agent.calls += 1
        if agent.ready:
            self._settle(agent)
        self._free(losers)
        return True

    def miss(self, token: str, reason: Missed) -> bool:
        item, offer = self._find(token)
        if item is None or offer is None or after(offer, TREATMENTS[reason].event) is None:
            return False
        self._missed(item, offer, reason)
        return True

    def _missed(self, item: ModelItem, offer: ModelOffer, reason: Missed) -> None:
        rule, agent = TREATMENTS[reason], self.agents[offer.agent]
        self.timers.pop(f"lease:{offer.token}", None)
        item.offers.remove(offer)
        item.excluded[agent.id] = self.now + round(rule.exclude_s * 1000)
        self._treat(agent, offer.token, reason, item.policy.ignored_limit)
        self._recount(agent)
        self._put_back(item)
        self._settle(agent)

    def _put_back(self, item: ModelItem) -> None:
        if not item.offers and self.over(item):
            self._release(item, item.limit_why)
            return
        if not item.offers:
            item.sole = False
            self._relax(item)
            self._start_waiting(item)
        self._match(item)
        self._arm_item(item)

    def _treat(self, agent: ModelAgent, token: str, reason: Missed, ignored_limit: int) -> None:
        rule = TREATMENTS[reason]
        self._drop_hand(agent, token)
        if not rule.keeps_place:
            agent.idle_since = 0
        agent.cool_until = max(agent.cool_until, self.now + round(rule.cool_s * 1000))
        self.timers[f"cool:{agent.id}"] = agent.cool_until
        agent.ignored += rule.counts == "ignored"
        agent.dnds += rule.counts == "dnds"
        if agent.intent == "ready":
            if rule.counts == "ignored" and agent.ignored >= ignored_limit:
                self._set_intent(agent, "not_ready", "rona")
            elif rule.counts == "dnds" and agent.dnds >= DND_AFTER:
                self._set_intent(agent, "not_ready", "dnd")
            elif rule.not_ready:
                self._set_intent(agent, "not_ready", rule.not_ready)
        if rule.device_down and agent.device != "down":
            self._set_device(agent, "down")

    def _take_back(self, item: ModelItem, reason: str, told: bool) -> list[ModelOffer]:
        offers, item.offers = item.offers, []
        for offer in offers if told else ():
            self._tell(item.engine, "cancelled", offer.token, reason)
        return offers

    def _free(self, offers: list[ModelOffer]) -> None:
        """Whose offer was taken back is not charged: they are ready again at the place they had."""
        for offer in offers:
            self.timers.pop(f"lease:{offer.token}", None)
            agent = self.agents[offer.agent]
            self._drop_hand(agent, offer.token)
            self._settle(agent)

    def _release(self, item: ModelItem, reason: str, target: str = "") -> None:
        offers = self._take_back(item, reason, told=True)
        self._delete(item)
        self._tell(item.engine, "released", item.id, reason)
        self._free(offers)

    def _delete(self, item: ModelItem) -> None:
        del self.items[item.id]
        self.timers.pop(f"item:{item.id}", None)
