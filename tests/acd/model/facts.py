"""What is so at this moment, worked out anew each time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.acd import Order, parse
from engine.acd.policy import AT_ONCE_AT_MOST, STRICTEST, line_of
from tests.acd.model.records import NEVER, ModelAgent, ModelItem, ModelOffer, is_own

STRICT_LEVEL, URGENT = 10**13, 10**14


class Facts:
    """Everything that is remembered, and what follows from it."""

    def __init__(
        self, now: int, interrupting: frozenset[str] = frozenset(), shares: Mapping[str, int] | None = None
    ) -> None:
        self.now = now
        self.interrupting = interrupting
        self.shares = shares or {}
        self.agents: dict[str, ModelAgent] = {}
        self.items: dict[str, ModelItem] = {}
        self.lines: dict[str, str] = {}  # those that agents stand in -> the requirement
        self.orders: set[tuple[str, Order]] = set()
        self.policies: set[str] = set()
        self.longest_ahead = 0  # of any policy ever known
        self.places: dict[str, int] = {}
        self.timers: dict[str, int] = {}
        self.told: list[tuple[str, ...]] = []
        self.drawn: list[str] = []  # the agents of the offers that Redis made, for what chance decides
        self.chosen_by: list[str] = []  # by what the agents of the offers were chosen that the model made since
        self.seq = 0

    def meets(self, agent: ModelAgent, line: str) -> bool:
        """Whether they stand in this line."""
        kind, _, name = line.partition(".")
        if name.startswith("@"):
            return name == f"@{agent.id}"
        skills = {**agent.terms.skills, **agent.skills}
        return line in self.lines and bool(agent.takes(kind)) and parse(self.lines[line]).met_by(skills, agent.id)

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
        used = sum(self.share(agent, other) for other in minds)
        return agent.at_hand(kind) < agent.takes(kind) and used + self.share(agent, kind) < 1.000001

    def share(self, agent: ModelAgent, kind: str) -> float:
        """Of a kind that they take no more, what is left is all of them."""
        if not agent.takes(kind):
            return 1.0
        return self.shares[kind] / 100 if kind in self.shares else 1 / agent.takes(kind)

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
            return item.urgent_at - URGENT
        strict = min(item.strict + item.policy.strict, STRICTEST)
        return item.at - item.head - item.policy.head_start_ms - strict * STRICT_LEVEL

    def line(self, item: ModelItem, step: int) -> str:
        require = f"agent:{item.preferred}" if step == 0 else item.policy.steps[step - 1].require
        return line_of(item.policy.kind, parse(require))

    def rank(self, agent: ModelAgent, line: str, order: Order) -> tuple[float, ...]:
        """Fewest items of the kind at hand first, then as the order says, then the longest idle, then by name."""
        kind = line.partition(".")[0]
        if is_own(line):
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

    def _arm(self, timer: str, due: Iterator[int]) -> None:
        first = min(due, default=None)
        if first is None:
            self.timers.pop(timer, None)
        else:
            self.timers[timer] = first

    def _find(self, token: str) -> tuple[ModelItem | None, ModelOffer | None]:
        item = self.items.get(token.partition("-")[2])
        return item, next((offer for offer in item.offers if offer.token == token), None) if item else None

    def _next(self) -> int:
        self.seq = self.seq + 1 if self.seq else self.now * 1000
        return self.seq

    def _tell(self, engine: str, kind: str, *what: str) -> None:
        self.told.append((engine, kind, *what))
