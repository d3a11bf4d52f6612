"""Who gets what: an item looks for agents, an agent for items."""

from __future__ import annotations

import math
from collections.abc import Collection

from engine.acd import Order, parse
from engine.acd.policy import line_of
from tests.acd.model.records import ModelAgent, ModelHand, ModelItem, ModelOffer, hand_of, is_own
from tests.acd.model.steps import AFTER_A_MOMENT, Steps

BUSY_DECAY = 3_600_000


class Matching(Steps):
    """When one of these returns, nobody is ready for an item that stands in line."""

    def _match(self, item: ModelItem) -> bool:
        """Offers the item to as many agents as may ring at once. True if it is offered now."""
        while self.may_ring_more(item):
            able, by = self._choices(item)
            if not able:
                break
            chosen = able[0]
            if len(able) > 1:
                chosen = next((agent for agent in able if agent.id == self.drawn[len(self.chosen_by)]), chosen)
            self._reserve(item, chosen, by)
            self._settle(chosen)
        if item.offers:
            if self.may_ring_more(item):
                self._enter_line(item)
            else:
                item.in_line = False
        return bool(item.offers)

    def _choices(self, item: ModelItem) -> tuple[list[ModelAgent], str]:
        """Whom the item is offered to next: one, unless chance decides among several; or nobody. And by what."""
        kind = item.policy.kind

        def ready(line: str) -> list[ModelAgent]:
            return [
                agent
                for agent in self.agents.values()
                if kind in agent.ready and self.meets(agent, line) and self.fits(item, agent.id)
            ]

        lines = [item.line]
        if not is_own(item.line) and item.preferred in {agent.id for agent in ready(item.line)}:
            return [self.agents[item.preferred]], "preferred"
        by = ["order" if item.step else "preferred"]
        if item.step:
            preferred = item.policy.steps[item.step - 1].preferred()
            lines = [line_of(kind, parse(text)) for text in preferred] + lines
            by = [f"prefer{n}" for n in range(1, len(lines))] + by
        for line, by_what in zip(lines, by, strict=True):
            able, order = ready(line), item.policy.order
            if able and order in {Order.RANDOM, Order.WEIGHTED}:
                fewest = min(agent.at_hand(kind) for agent in able)
                return [agent for agent in able if agent.at_hand(kind) == fewest], by_what
            if able:
                first = min(able, key=lambda agent, line=line: (self.rank(agent, line, order), agent.id))  # type: ignore[misc]
                return [first], by_what
        return [], ""

    def _reserve(self, item: ModelItem, agent: ModelAgent, by: str, free_at: int = 0) -> None:
        """`by`: by what they were chosen, as the journal tells it.
        `free_at`: when their wrap-up will be over, ahead of which this is."""
        agent.ready = {}
        agent.last_offer = self._next()
        offer = ModelOffer(agent.id, f"{agent.last_offer}-{item.id}")
        item.offers.append(offer)
        item.state, item.attempt = "offered", item.attempt + 1
        if not self.may_ring_more(item):
            item.in_line = False
        agent.hands.append(ModelHand(offer.token, item.policy.kind, "reserved", self.now, free_at))
        self.timers[f"lease:{offer.token}"] = (free_at or self.now) + item.policy.lease_ms
        self._tell(item.engine, "offer", offer.token, agent.id)
        self.chosen_by.append(by)

    def _settle(self, agent: ModelAgent) -> None:
        """After every change of an agent: whatever they may have now, they get now; for the rest they stand ready."""
        self._recount(agent)
        agent.ready = {}
        self._review_ahead(agent)
        while kinds := {kind for kind in agent.terms.takes if self.routable(agent, kind)}:
            agent.idle_since = agent.idle_since or self.now
            waiting = self._would_get(agent, kinds)
            if not waiting:
                agent.ready = dict.fromkeys(kinds, self._occupied(agent))
                break
            first = min(waiting, key=lambda item: (item.score, item.seq))
            self._reserve(first, agent, "free" if first.step else "preferred")
        self._watch_wrapup(agent)
        if agent.removed and not agent.hands:
            del self.agents[agent.id]

    def _would_get(self, agent: ModelAgent, kinds: Collection[str]) -> list[ModelItem]:
        """All that waits and may go to them."""
        return [
            item
            for item in self.items.values()
            if item.in_line and item.policy.kind in kinds and self.meets(agent, item.line) and self.fits(item, agent.id)
        ]

    def _review_ahead(self, agent: ModelAgent) -> None:
        """What is reserved for them ahead (ahead.py)."""
        raise NotImplementedError

    def _watch_wrapup(self, agent: ModelAgent) -> None:
        """When they are to look ahead (ahead.py)."""
        raise NotImplementedError

    def _recount(self, agent: ModelAgent) -> None:
        """When the last one of a line goes, its waiting are looked after a moment later."""
        present = {line for line in self.lines if self.meets(agent, line) and self.there(agent, line.partition(".")[0])}
        own = {f"{kind}.@{agent.id}" for kind in agent.terms.takes if self.at_work(agent, kind)}
        gone = (agent.present - present) | (agent.staffs - own)
        agent.present, agent.staffs = present, own
        for line in gone:
            if not any(line in other.present for other in self.agents.values()) and self.in_line(line):
                self.timers[f"absent:{line}"] = self.now + AFTER_A_MOMENT

    def _occupied(self, agent: ModelAgent) -> float:
        """An agent's share of the last hour or so at work, in a form in which time changes nothing."""
        busy = agent.busy * math.exp((agent.busy_at - self.now) / BUSY_DECAY)
        return math.floor(math.log(busy) * BUSY_DECAY + self.now + 0.5) if busy > 0 else agent.idle_since - 10**13

    def _set_hand(self, agent: ModelAgent, hand: ModelHand, work: str, until: int = 0) -> None:
        if hand.work in {"talking", "wrapup"}:
            before = agent.busy * math.exp((agent.busy_at - self.now) / BUSY_DECAY)
            agent.busy, agent.busy_at = before + (self.now - hand.since), self.now
        hand.work, hand.since, hand.until = work, self.now, until

    def _drop_hand(self, agent: ModelAgent, token: str) -> None:
        hand = hand_of(agent, token)
        self._set_hand(agent, hand, "idle")
        agent.hands.remove(hand)
