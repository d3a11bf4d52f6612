"""The ACD's rules in plain Python: what the Redis functions must do, written to be read, not to be fast.

Items and agents are looked through one by one, whatever could be kept is worked out anew, and only what the rules speak
of is remembered. Each verb answers as Redis does; the notices it causes are in `told`, as (engine, kind, token or item,
agent or reason). Where chance decides (random, weighted), the model is told what Redis drew, and checks that it might.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.acd import AgentTerms, Empty, Missed, Order, Policy, parse
from engine.acd.conditions import Agent as OneAgent
from engine.acd.offer import DND_AFTER, TRANSITIONS, TREATMENTS, OfferEvent, OfferState
from engine.acd.policy import AT_ONCE_AT_MOST, KEPT_ANYWAY, STRICTEST, line_of

STRICT_LEVEL, URGENT = 10**13, 10**14
AFTER_A_MOMENT = 3_000
BUSY_DECAY = 3_600_000
NEVER = 0


@dataclass
class ModelHand:
    token: str
    kind: str
    work: str
    since: int
    until: int = 0


@dataclass
class ModelAgent:
    id: str
    terms: AgentTerms
    skills: dict[str, int] = field(default_factory=dict)  # changed while running
    intent: str = "logged_out"
    reason: str = ""
    device: str = "down"
    hands: list[ModelHand] = field(default_factory=list)
    idle_since: int = 0
    cool_until: int = 0
    ignored: int = 0
    dnds: int = 0
    calls: int = 0
    busy: float = 0.0
    busy_at: int = 0
    last_offer: int = 0
    removed: bool = False
    ready: dict[str, float] = field(
        default_factory=dict
    )  # the kinds they stand ready for -> how occupied they were then
    present: set[str] = field(default_factory=set)  # lines that count them as logged in
    staffs: set[str] = field(default_factory=set)  # lines that count them as at work, their own ones too

    def at_hand(self, kind: str) -> int:
        return sum(hand.kind == kind for hand in self.hands)

    def takes(self, kind: str) -> int:
        return 0 if self.removed else self.terms.takes.get(kind, 0)


@dataclass
class ModelOffer:
    agent: str
    token: str
    state: str = "offered"


@dataclass
class ModelItem:
    id: str
    queue: str
    policy: Policy
    engine: str
    at: int
    seq: int
    head: int = 0
    strict: int = 0
    who: str = ""
    preferred: str = ""
    patience_until: int = NEVER
    step: int = 1
    line: str = ""
    score: int = 0
    state: str = "new"
    in_line: bool = False
    sole: bool = False
    offers: list[ModelOffer] = field(default_factory=list)
    attempt: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    step_at: int = NEVER
    limit_at: int = NEVER
    limit_why: str = ""
    urgent_at: int = NEVER
    back_at: int = NEVER


class Model:
    def __init__(self, now: int, interrupting: frozenset[str] = frozenset()) -> None:
        self.now = now
        self.interrupting = interrupting
        self.agents: dict[str, ModelAgent] = {}
        self.items: dict[str, ModelItem] = {}
        self.lines: dict[str, str] = {}  # those that agents stand in -> the requirement
        self.orders: set[tuple[str, Order]] = set()
        self.policies: set[str] = set()
        self.places: dict[str, int] = {}
        self.timers: dict[str, int] = {}
        self.told: list[tuple[str, ...]] = []
        self.drawn: list[str] = []  # the agents of the offers that Redis made, for what chance decides
        self.made = 0
        self.seq = 0

    # --- what is so, at this moment --------------------------------------------------------------------------

    def meets(self, agent: ModelAgent, line: str) -> bool:
        """Whether they stand in this line."""
        kind, _, name = line.partition(".")
        if name.startswith("@"):
            return name == f"@{agent.id}"
        skills = {**agent.terms.skills, **agent.skills}
        return bool(agent.takes(kind)) and parse(self.lines[line]).met_by(skills, agent.id)

    def there(self, agent: ModelAgent, kind: str) -> bool:
        return agent.intent != "logged_out" and (kind != "voice" or agent.device != "down")

    def at_work(self, agent: ModelAgent, kind: str) -> bool:
        return agent.intent == "ready" and bool(agent.takes(kind)) and (kind != "voice" or agent.device != "down")

    def staffed(self, line: str) -> bool:
        """Somebody is logged in for it; an agent's own line needs them at work."""
        kind, _, name = line.partition(".")
        if name.startswith("@"):
            owner = self.agents.get(name[1:])
            return owner is not None and self.at_work(owner, kind)
        return any(self.meets(agent, line) and self.there(agent, kind) for agent in self.agents.values())

    def has_room(self, agent: ModelAgent, kind: str) -> bool:
        """Below their limit of that kind, and not more than one whole agent altogether; a kind that interrupts minds
        only what is of its own."""
        if not agent.takes(kind):
            return False
        if not agent.hands:
            return True
        minds = [hand.kind for hand in agent.hands if kind not in self.interrupting or hand.kind == kind]
        used = sum(1 / agent.takes(other) if agent.takes(other) else 1 for other in minds)
        return agent.at_hand(kind) < agent.takes(kind) and used + 1 / agent.takes(kind) < 1.000001

    def routable(self, agent: ModelAgent, kind: str) -> bool:
        return (
            agent.intent == "ready"
            and self.has_room(agent, kind)
            and agent.device != "busy"
            and (kind != "voice" or agent.device == "idle")
            and agent.cool_until <= self.now
        )

    def excludes(self, item: ModelItem, agent: str) -> bool:
        return item.excluded.get(agent, 0) > self.now

    def fits(self, item: ModelItem, agent: str) -> bool:
        return not self.excludes(item, agent) and all(offer.agent != agent for offer in item.offers)

    def over(self, item: ModelItem) -> bool:
        """Its wait has ended, by one of its limits."""
        return NEVER < item.limit_at <= self.now

    def may_ring_more(self, item: ModelItem) -> bool:
        most = 1 if item.sole else item.policy.ring or AT_ONCE_AT_MOST
        return len(item.offers) < most and not self.over(item)

    def score(self, item: ModelItem) -> int:
        if NEVER < item.urgent_at <= self.now:
            return item.at - URGENT
        strict = min(item.strict + item.policy.strict, STRICTEST)
        return item.at - item.head - item.policy.head_start_ms - strict * STRICT_LEVEL

    def line(self, item: ModelItem, step: int) -> str:
        require = f"agent:{item.preferred}" if step == 0 else item.policy.steps[step - 1].require
        return line_of(item.policy.kind, parse(require))

    def rank(self, agent: ModelAgent, line: str, order: Order) -> tuple[float, ...]:
        """Fewest items of the kind at hand first, then as the order says, then the longest idle, then by name."""
        kind = line.partition(".")[0]
        if _is_own(line):
            return ()
        skills = {**agent.terms.skills, **agent.skills}
        by: dict[Order, tuple[float, ...]] = {
            Order.LONGEST_IDLE: (agent.idle_since,),
            Order.FEWEST_CALLS: (agent.calls, agent.idle_since),
            Order.ROUND_ROBIN: (agent.last_offer,),
            Order.LINEAR: (agent.terms.rank,),
            Order.LEAST_OCCUPIED: (agent.ready.get(kind, 0),),
        }
        if order is Order.MOST_PROFICIENT:
            return (agent.at_hand(kind), -parse(self.lines[line]).proficiency(skills), agent.idle_since)
        return (agent.at_hand(kind), *by[order])

    def in_queue(self, queue: str) -> list[ModelItem]:
        """The waiting, the next one first."""
        waiting = (item for item in self.items.values() if item.state == "waiting" and item.queue == queue)
        return sorted(waiting, key=lambda item: (item.score, item.seq))

    def position(self, id_: str) -> int:
        item = self.items.get(id_)
        if item is None:
            return -1
        return self.in_queue(item.queue).index(item) + 1 if item.state == "waiting" else 0

    def in_line(self, line: str) -> list[ModelItem]:
        standing = (item for item in self.items.values() if item.in_line and item.line == line)
        return sorted(standing, key=lambda item: (item.score, item.seq))

    # --- agents ----------------------------------------------------------------------------------------------

    def learn(self, policy: Policy) -> None:
        for line, requirement in policy.lines().items():
            if not isinstance(requirement.root, OneAgent):
                self.lines[line] = requirement.text
                if policy.order not in KEPT_ANYWAY:
                    self.orders.add((line, policy.order))
        self.policies.add(policy.id)

    def intern(self, policy: Policy) -> None:
        """Agents step into the lines that it brings, and into its order of others."""
        before = {agent.id: self._profile(agent) for agent in self._defined()}
        self.learn(policy)
        for agent in self._defined():
            if self._profile(agent) != before[agent.id]:
                self._settle(agent)

    def define(self, agents: Mapping[str, AgentTerms]) -> None:
        for agent in [agent for agent in self._defined() if agent.id not in agents]:
            agent.skills, agent.removed = {}, True
            if agent.intent != "logged_out":
                self._set_intent(agent, "logged_out", "removed")
            self._settle(agent)
        for id_, terms in agents.items():
            agent = self.agents.setdefault(id_, ModelAgent(id_, terms, busy_at=self.now))
            agent.terms, agent.removed = terms, False
            self._settle(agent)

    def skill(self, id_: str, name: str, level: int | None) -> None:
        agent = self.agents[id_]
        if level is None:
            agent.skills.pop(name, None)
        else:
            agent.skills[name] = level
        self._settle(agent)

    def agent(self, id_: str, intent: str, reason: str, device: str) -> bool:
        agent = self.agents.get(id_)
        if agent is None or agent.removed:
            return False
        new_intent, new_device = (intent, reason) != (agent.intent, agent.reason), device != agent.device
        if new_intent:
            if intent == "ready":
                agent.ignored = agent.dnds = 0
            self._set_intent(agent, intent, reason)
        if new_device:
            self._set_device(agent, device)
        if new_intent or new_device:
            self._settle(agent)
        return True

    def wrapup(self, id_: str, ms: int) -> bool:
        agent = self.agents.get(id_)
        wrapping = [hand for hand in agent.hands if hand.work == "wrapup"] if agent else []
        if agent is None or not wrapping:
            return False
        for hand in wrapping:
            hand.until = self.now + ms
        if ms:
            self._arm_wrapup(agent)
        else:
            self._wrapup_expired(agent.id)
        return True

    def _profile(self, agent: ModelAgent) -> dict[str, tuple[set[Order], int]]:
        skills = {**agent.terms.skills, **agent.skills}
        found = {}
        for line, requirement in self.lines.items():
            if self.meets(agent, line):
                orders = {order for other, order in self.orders if other == line}
                counts = Order.MOST_PROFICIENT in orders
                found[line] = (orders, parse(requirement).proficiency(skills) if counts else 0)
        return found

    def _defined(self) -> list[ModelAgent]:
        return [agent for agent in self.agents.values() if not agent.removed]

    def _set_intent(self, agent: ModelAgent, intent: str, reason: str) -> None:
        if agent.intent == "logged_out" and intent != "logged_out":
            agent.calls = 0
        agent.intent, agent.reason = intent, reason
        if intent != "ready":
            agent.idle_since = 0

    def _set_device(self, agent: ModelAgent, device: str) -> None:
        if not agent.hands and (device != "idle" or agent.device == "down"):
            agent.idle_since = 0  # a call of their own, or a phone that is back; ours cost no place
        agent.device = device

    def _settle(self, agent: ModelAgent) -> None:
        """After every change of an agent: whatever they may have now, they get now; for the rest they stand ready."""
        self._recount(agent)
        agent.ready = {}
        while kinds := {kind for kind in agent.terms.takes if self.routable(agent, kind)}:
            agent.idle_since = agent.idle_since or self.now
            waiting = [
                item
                for item in self.items.values()
                if item.in_line
                and item.policy.kind in kinds
                and self.meets(agent, item.line)
                and self.fits(item, agent.id)
            ]
            if not waiting:
                agent.ready = dict.fromkeys(kinds, self._occupied(agent))
                break
            self._reserve(min(waiting, key=lambda item: (item.score, item.seq)), agent)
        if agent.removed and not agent.hands:
            del self.agents[agent.id]

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
        hand = _hand(agent, token)
        self._set_hand(agent, hand, "idle")
        agent.hands.remove(hand)

    def _arm_wrapup(self, agent: ModelAgent) -> None:
        self._arm(f"wrapup:{agent.id}", (hand.until for hand in agent.hands if hand.work == "wrapup"))

    # --- an item comes -----------------------------------------------------------------------------------------

    def enqueue(
        self, id_: str, engine: str, queue: str, policy: Policy, *, hold_ms: int = 0, replaces: str = "", **asked: Any
    ) -> int | str:
        """Its position, or why it was refused."""
        known = self.items.get(id_)
        if known is not None:
            for offer in known.offers if known.state == "offered" else ():
                self._tell(known.engine, "offer", offer.token, offer.agent)
            return self.position(id_)
        if policy.id not in self.policies:
            self.intern(policy)
        other = self.items.get(replaces)
        if other is not None and other.state == "talking":
            other = None
        item = self._comes(ModelItem(id_, queue, policy, engine, self.now, self._next()), other, **asked)
        why = "" if hold_ms else self._refusal(item, other)
        if why:
            return why
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
        return self.position(id_)

    def _comes(
        self, item: ModelItem, other: ModelItem | None, *, head_start_ms: int = 0, waited_ms: int = 0,
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
        if policy.max_wait_ms:
            since = item.at if other is None else self.now - waited_ms
            item.limit_at, item.limit_why = since + policy.max_wait_ms, "timed_out"
        if closes_in_ms is not None and (not item.limit_at or self.now + closes_in_ms <= item.limit_at):
            item.limit_at, item.limit_why = self.now + closes_in_ms, "closed"
        if policy.served_within_ms:
            item.urgent_at = item.at + policy.served_within_ms
        if preferred and patience_ms:
            item.step, item.patience_until = 0, self.now + patience_ms
        self._place_in_steps(item)
        item.line, item.score = self.line(item, item.step), self.score(item)
        return item

    def _refusal(self, item: ModelItem, other: ModelItem | None) -> str:
        if self.over(item):
            return item.limit_why
        why, most = self._nobody(item), item.policy.capacity
        full = most and other is None and len(self.in_queue(item.queue)) >= most
        return "full" if not why and full and not self._choices(item) else why

    # --- matching ----------------------------------------------------------------------------------------------

    def _choices(self, item: ModelItem) -> list[ModelAgent]:
        """Whom the item is offered to next: one, unless chance decides among several; or nobody."""
        kind = item.policy.kind

        def ready(line: str) -> list[ModelAgent]:
            return [
                agent
                for agent in self.agents.values()
                if kind in agent.ready and self.meets(agent, line) and self.fits(item, agent.id)
            ]

        lines = [item.line]
        if not _is_own(item.line) and item.preferred in {agent.id for agent in ready(item.line)}:
            return [self.agents[item.preferred]]
        if item.step:
            preferred = item.policy.steps[item.step - 1].preferred()
            lines = [line_of(kind, parse(text)) for text in preferred] + lines
        for line in lines:
            able, order = ready(line), item.policy.order
            if able and order in {Order.RANDOM, Order.WEIGHTED}:
                fewest = min(agent.at_hand(kind) for agent in able)
                return [agent for agent in able if agent.at_hand(kind) == fewest]
            if able:
                return [min(able, key=lambda agent, line=line: (self.rank(agent, line, order), agent.id))]  # type: ignore[misc]
        return []

    def _match(self, item: ModelItem) -> bool:
        """Offers the item to as many agents as may ring at once. True if it is offered now."""
        while self.may_ring_more(item) and (able := self._choices(item)):
            chosen = able[0]
            if len(able) > 1:
                chosen = next((agent for agent in able if agent.id == self.drawn[self.made]), chosen)
            self._reserve(item, chosen)
            self._settle(chosen)
        if item.offers:
            if self.may_ring_more(item):
                self._enter_line(item)
            else:
                item.in_line = False
        return bool(item.offers)

    def _reserve(self, item: ModelItem, agent: ModelAgent) -> None:
        agent.ready = {}
        agent.last_offer = self._next()
        offer = ModelOffer(agent.id, f"{agent.last_offer}-{item.id}")
        item.offers.append(offer)
        item.state, item.attempt = "offered", item.attempt + 1
        if not self.may_ring_more(item):
            item.in_line = False
        agent.hands.append(ModelHand(offer.token, item.policy.kind, "reserved", self.now))
        self.timers[f"lease:{offer.token}"] = self.now + item.policy.lease_ms
        self._tell(item.engine, "offer", offer.token, agent.id)
        self.made += 1

    def _start_waiting(self, item: ModelItem) -> None:
        item.state, item.score, item.in_line = "waiting", self.score(item), False
        self._enter_line(item)

    def _enter_line(self, item: ModelItem) -> None:
        if not item.in_line:
            item.in_line = True
            if not self.staffed(item.line):
                self.timers.setdefault(f"absent:{item.line}", self.now + AFTER_A_MOMENT)

    def _stand(self, item: ModelItem, line: str, score: int) -> None:
        was_in = item.in_line
        item.in_line, item.line, item.score = False, line, score
        if was_in:
            self._enter_line(item)

    # --- steps -------------------------------------------------------------------------------------------------

    def _place_in_steps(self, item: ModelItem) -> None:
        """The latest step that has begun; but where nobody is logged in who could take it, the first later one where
        somebody is. Step 0 is the preferred agent, while they are at work and may have it in time."""
        steps, n = item.policy.steps, item.step
        if n == 0:
            in_time = max(self.now, item.excluded.get(item.preferred, 0)) < item.patience_until
            if not in_time or not self.staffed(self.line(item, 0)):
                n = 1
        if n:
            while n < len(steps) and steps[n].after_ms <= self.now - item.at:
                n += 1
            if not self.staffed(self.line(item, n)):
                n = next((m for m in range(n + 1, len(steps) + 1) if self.staffed(self.line(item, m))), n)
        item.step = n
        if n == 0:
            item.step_at = item.patience_until
        else:
            item.step_at = item.at + steps[n].after_ms if n < len(steps) else NEVER

    def _relax(self, item: ModelItem) -> None:
        before = item.step
        self._place_in_steps(item)
        if item.step != before:
            self._stand(item, self.line(item, item.step), item.score)

    def _nobody(self, item: ModelItem) -> str:
        """Why nobody could come to take it, as far as its queue minds."""
        policy = item.policy
        base = line_of(policy.kind, parse(policy.base or policy.steps[-1].require))
        if Empty.NO_AGENTS in policy.leave_when and not self.staffed(base):
            return "no_agents"
        ahead = range(item.step, len(policy.steps) + 1)
        if Empty.NONE_ELIGIBLE in policy.leave_when and not any(self.staffed(self.line(item, n)) for n in ahead):
            return "none_eligible"
        return ""

    # --- the life of an offer ----------------------------------------------------------------------------------

    def ringing(self, token: str) -> bool:
        item, offer = self._find(token)
        after = _after(offer, OfferEvent.RING)
        if item is None or offer is None or after is None:
            return False
        if after != offer.state:
            offer.state = after
            agent = self.agents[offer.agent]
            self._set_hand(agent, _hand(agent, token), "ringing")
        return True

    def accept(self, token: str) -> bool:
        item, offer = self._find(token)
        after = _after(offer, OfferEvent.ACCEPT)
        if item is None or offer is None or after is None:
            return False
        if after == offer.state:
            return True
        offer.state = after
        losers = [other for other in item.offers if other is not offer]
        item.offers, item.state, item.in_line = [offer], "talking", False
        del self.timers[f"lease:{token}"]
        self._arm_item(item)
        agent = self.agents[offer.agent]
        self._set_hand(agent, _hand(agent, token), "talking")
        agent.ignored = agent.dnds = agent.idle_since = 0
        agent.calls += 1
        if agent.ready:
            self._settle(agent)
        self._free(losers)
        return True

    def miss(self, token: str, reason: Missed) -> bool:
        item, offer = self._find(token)
        if item is None or offer is None or _after(offer, TREATMENTS[reason].event) is None:
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
        if not item.offers and self.over(item):
            self._release(item, item.limit_why)
        else:
            if not item.offers:
                item.sole = False
                self._relax(item)
                self._start_waiting(item)
            self._match(item)
            self._arm_item(item)
        self._settle(agent)

    def _treat(self, agent: ModelAgent, token: str, reason: Missed, ignored_limit: int) -> None:
        rule = TREATMENTS[reason]
        self._drop_hand(agent, token)
        if not rule.keeps_place:
            agent.idle_since = 0
        if rule.cool_s:
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

    # --- an item goes ------------------------------------------------------------------------------------------

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
        if item is None or not item.offers or _after(item.offers[0], OfferEvent.LEAVE) is None:
            return False
        self._delete(item)
        token, agent = item.offers[0].token, self.agents[item.offers[0].agent]
        if item.policy.wrapup_ms:
            self._set_hand(agent, _hand(agent, token), "wrapup", self.now + item.policy.wrapup_ms)
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

    def defer(self, id_: str, engine: str, ms: int, reason: str) -> bool:
        item = self.items.get(id_)
        if item is None or item.state == "talking":
            return False
        offers = self._take_back(item, reason, told=item.engine != engine)
        item.state, item.in_line, item.back_at = "deferred", False, self.now + ms
        self._arm_item(item)
        self._free(offers)
        return True

    def adopt(self, engine: str, by: str) -> None:
        for item in self.items.values():
            if item.engine == engine:
                item.engine = by

    def _release(self, item: ModelItem, reason: str, target: str = "") -> None:
        offers = self._take_back(item, reason, told=True)
        self._delete(item)
        self._tell(item.engine, "released", item.id, reason)
        self._free(offers)

    def _delete(self, item: ModelItem) -> None:
        del self.items[item.id]
        self.timers.pop(f"item:{item.id}", None)

    # --- a hand from outside -------------------------------------------------------------------------------------

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
        self._reserve(item, agent)
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

    # --- time --------------------------------------------------------------------------------------------------

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
        if item is not None and offer is not None and _after(offer, OfferEvent.LAPSE) is not None:
            self._missed(item, offer, Missed.LEASE)

    def _wrapup_expired(self, id_: str) -> None:
        agent = self.agents.get(id_)
        if agent is None:
            return
        over = [hand for hand in agent.hands if hand.work == "wrapup" and hand.until <= self.now]
        for hand in over:
            self._drop_hand(agent, hand.token)
        self._arm_wrapup(agent)
        if over:
            self._settle(agent)

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

    def _arm_item(self, item: ModelItem) -> None:
        due: list[int] = []
        if item.state == "deferred":
            due = [item.back_at]
        elif item.state != "talking":
            due = [item.step_at, *(till for till in item.excluded.values() if till > self.now)]
            if item.state == "waiting" or item.limit_at > self.now:
                due.append(item.limit_at)
            if item.urgent_at > self.now:
                due.append(item.urgent_at)
        self._arm(f"item:{item.id}", (at for at in due if at != NEVER))

    def _arm(self, timer: str, due: Iterator[int]) -> None:
        first = min(due, default=None)
        if first is None:
            self.timers.pop(timer, None)
        else:
            self.timers[timer] = first

    # --- small change ------------------------------------------------------------------------------------------

    def _find(self, token: str) -> tuple[ModelItem | None, ModelOffer | None]:
        item = self.items.get(token.partition("-")[2])
        return item, next((offer for offer in item.offers if offer.token == token), None) if item else None

    def _next(self) -> int:
        self.seq = self.seq + 1 if self.seq else self.now * 1000
        return self.seq

    def _tell(self, engine: str, kind: str, *what: str) -> None:
        self.told.append((engine, kind, *what))


def _hand(agent: ModelAgent, token: str) -> ModelHand:
    return next(hand for hand in agent.hands if hand.token == token)


def _after(offer: ModelOffer | None, event: OfferEvent) -> OfferState | None:
    return TRANSITIONS.get((OfferState(offer.state), event)) if offer else None


def _is_own(line: str) -> bool:
    return ".@" in line
