"""The ACD's rules in plain Python: what the Redis functions must do, written to be read, not to be fast.

Every operation returns the offers it makes as (item, agent, attempt), in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.acd import Missed, parse
from engine.acd.offer import RONA_AFTER, TRANSITIONS, TREATMENTS, OfferEvent, OfferState

Made = list[tuple[str, str, int]]


@dataclass
class ModelAgent:
    id: str
    skills: Mapping[str, int]
    intent: str = "logged_out"
    device: str = "down"
    work: str = "idle"
    item: str = ""
    idle_since: int = 0
    cool_until: int = 0
    misses: int = 0
    wrapup_until: int = 0
    ready: bool = False  # found routable, and nothing since changed that


@dataclass
class ModelItem:
    id: str
    requirement: str
    score: int
    seq: int
    wrapup_ms: int
    lease_ms: int
    preferred: str
    state: str = "waiting"
    agent: str = ""
    token: str = ""
    attempt: int = 0
    excluded: dict[str, int] = field(default_factory=dict)


class Model:
    def __init__(self, agents: Mapping[str, Mapping[str, int]], now: int) -> None:
        self.now = now
        self.agents = {id_: ModelAgent(id_, skills) for id_, skills in agents.items()}
        self.items: dict[str, ModelItem] = {}
        self.timers: dict[tuple[str, str], int] = {}
        self._seq = 0
        self._made: Made = []

    # --- what anybody may ask ------------------------------------------------------------------------------

    def meets(self, agent: ModelAgent, item: ModelItem) -> bool:
        return parse(item.requirement).met_by(agent.skills, agent.id)

    def excludes(self, item: ModelItem, agent: ModelAgent) -> bool:
        return item.excluded.get(agent.id, 0) > self.now

    def routable(self, agent: ModelAgent) -> bool:
        return (
            agent.intent == "ready" and agent.device == "idle" and agent.work == "idle" and agent.cool_until <= self.now
        )

    def waiting(self) -> list[ModelItem]:
        """In the order in which they are served."""
        return sorted(
            (item for item in self.items.values() if item.state == "waiting"),
            key=lambda item: (item.score, item.seq),
        )

    # --- operations ----------------------------------------------------------------------------------------

    def enqueue(self, id_: str, requirement: str, head_start: int, preferred: str, wrapup: int, lease: int) -> Made:
        self._seq += 1
        self.items[id_] = ModelItem(id_, requirement, self.now - head_start, self._seq, wrapup, lease, preferred)
        self._match_item(self.items[id_])
        return self._offers()

    def set_agent(self, id_: str, intent: str, reason: str, device: str) -> Made:
        agent = self.agents[id_]
        if intent == agent.intent and device == agent.device:
            return []
        if intent != agent.intent:
            self._set_intent(agent, intent)
            if intent == "ready":
                agent.misses = 0
        if device != agent.device:
            self._set_device(agent, device)
        self._settle(agent)
        return self._offers()

    def report(self, token: str, event: OfferEvent) -> bool:
        """Ringing or accepted."""
        item = self._item_of(token)
        after = self._after(item, event)
        if item is None or after is None:
            return False
        if after == item.state:
            return True
        item.state = after
        agent = self.agents[item.agent]
        agent.work = {"ringing": "ringing", "accepted": "talking"}[after]
        if event is OfferEvent.ACCEPT:
            self.timers.pop(("lease", item.id))
            agent.idle_since = agent.misses = 0
        return True

    def miss(self, token: str, reason: Missed) -> Made | None:
        item = self._item_of(token)
        if item is None or self._after(item, TREATMENTS[reason].event) is None:
            return None
        self._end_missed(item, reason)
        return self._offers()

    def withdraw(self, id_: str) -> Made | None:
        item = self.items.get(id_)
        if item is None or (item.state != "waiting" and self._after(item, OfferEvent.CANCEL) is None):
            return None
        del self.items[id_]
        self.timers.pop(("lease", id_), None)
        self.timers.pop(("exclusion", id_), None)
        if item.agent:
            agent = self.agents[item.agent]
            agent.work, agent.item = "idle", ""
            self._settle(agent)
        return self._offers()

    def leave(self, id_: str) -> Made | None:
        item = self.items.get(id_)
        if item is None or self._after(item, OfferEvent.LEAVE) is None:
            return None
        del self.items[id_]
        agent = self.agents[item.agent]
        if item.wrapup_ms:
            agent.work, agent.wrapup_until = "wrapup", self.now + item.wrapup_ms
            self.timers["wrapup", agent.id] = agent.wrapup_until
        else:
            agent.work, agent.item = "idle", ""
        self._settle(agent)
        return self._offers()

    def tick(self) -> Made:
        due = [timer for timer, at in self.timers.items() if at <= self.now]
        # As Redis orders them: by time, then by name; a lease's name is its token's.
        due.sort(key=lambda timer: (self.timers[timer], timer[0], self._timer_name(timer)))
        for timer in due:
            del self.timers[timer]
        for kind, subject in due:
            getattr(self, f"_{kind}_expired")(subject)
        return self._offers()

    # --- rules ---------------------------------------------------------------------------------------------

    def _match_item(self, item: ModelItem) -> bool:
        able = [
            agent
            for agent in self.agents.values()
            if agent.ready and self.meets(agent, item) and not self.excludes(item, agent)
        ]
        if not able:
            return False
        chosen = min(able, key=lambda agent: (agent.id != item.preferred, agent.idle_since, agent.id))
        self._reserve(item, chosen)
        return True

    def _settle(self, agent: ModelAgent) -> None:
        if not self.routable(agent):
            agent.ready = False
        elif not agent.ready:
            agent.idle_since = agent.idle_since or self.now
            for item in self.waiting():
                if self.meets(agent, item) and not self.excludes(item, agent):
                    self._reserve(item, agent)
                    return
            agent.ready = True

    def _reserve(self, item: ModelItem, agent: ModelAgent) -> None:
        agent.work, agent.item, agent.ready = "reserved", item.id, False
        item.state, item.agent, item.token, item.attempt = "offered", agent.id, "", item.attempt + 1
        self.timers["lease", item.id] = self.now + item.lease_ms
        self._made.append((item.id, agent.id, item.attempt))

    def _end_missed(self, item: ModelItem, reason: Missed) -> None:
        rule, agent = TREATMENTS[reason], self.agents[item.agent]
        self.timers.pop(("lease", item.id), None)
        item.state, item.agent, item.token = "waiting", "", ""
        item.excluded[agent.id] = self.now + round(rule.exclude_s * 1000)
        if not self._match_item(item):
            self._arm_exclusion(item)
        agent.work, agent.item = "idle", ""
        if not rule.keeps_place:
            agent.idle_since = 0
        if rule.cool_s:
            agent.cool_until = self.timers["cooldown", agent.id] = self.now + round(rule.cool_s * 1000)
        if rule.ignored:
            agent.misses += 1
            if agent.misses >= RONA_AFTER and agent.intent == "ready":
                self._set_intent(agent, "not_ready")
        if rule.device_down and agent.device != "down":
            self._set_device(agent, "down")
        self._settle(agent)

    def _set_intent(self, agent: ModelAgent, intent: str) -> None:
        agent.intent = intent
        if intent != "ready":
            agent.idle_since = 0

    def _set_device(self, agent: ModelAgent, device: str) -> None:
        if agent.work == "idle" and device != "idle":
            agent.idle_since = 0
        agent.device = device

    def _arm_exclusion(self, item: ModelItem) -> None:
        active = [till for till in item.excluded.values() if till > self.now]
        if active:
            self.timers["exclusion", item.id] = min(active)

    def _lease_expired(self, id_: str) -> None:
        self._end_missed(self.items[id_], Missed.LEASE)

    def _wrapup_expired(self, id_: str) -> None:
        agent = self.agents[id_]
        agent.work, agent.item, agent.wrapup_until = "idle", "", 0
        self._settle(agent)

    def _cooldown_expired(self, id_: str) -> None:
        self._settle(self.agents[id_])

    def _exclusion_expired(self, id_: str) -> None:
        item = self.items.get(id_)
        if item is not None and item.state == "waiting" and not self._match_item(item):
            self._arm_exclusion(item)

    # --- small change --------------------------------------------------------------------------------------

    def _item_of(self, token: str) -> ModelItem | None:
        return next((item for item in self.items.values() if item.token == token), None)

    @staticmethod
    def _after(item: ModelItem | None, event: OfferEvent) -> str | None:
        if item is None or item.state == "waiting":
            return None
        return TRANSITIONS.get((OfferState(item.state), event))

    def _timer_name(self, timer: tuple[str, str]) -> str:
        kind, subject = timer
        return self.items[subject].token if kind == "lease" else subject

    def _offers(self) -> Made:
        made, self._made = self._made, []
        return made
