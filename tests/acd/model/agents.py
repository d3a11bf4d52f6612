"""The agents: who they are, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.acd import AgentTerms, Order, Policy, parse
from engine.acd.conditions import Agent as OneAgent
from engine.acd.policy import KEPT_ANYWAY
from tests.acd.model.matching import Matching
from tests.acd.model.records import ModelAgent


class Agents(Matching):
    """Every change of an agent ends by being settled."""

    def learn(self, policy: Policy) -> None:
        self._learn_lines(policy)
        self.policies.add(policy.id)
        self.longest_ahead = max(self.longest_ahead, policy.ahead_ms)

    def _learn_lines(self, policy: Policy) -> None:
        for line, requirement in policy.lines().items():
            if not isinstance(requirement.root, OneAgent):
                self.lines[line] = requirement.text
                if policy.order not in KEPT_ANYWAY:
                    self.orders.add((line, policy.order))

    def intern(self, policy: Policy) -> None:
        """Agents step into the lines that it brings, and into its order of others; only then it is known."""
        before = {agent.id: self._profile(agent) for agent in self._defined()}
        self._learn_lines(policy)
        for agent in self._defined():
            if self._profile(agent) != before[agent.id]:
                self._settle(agent)
        self.learn(policy)

    def define(self, agents: Mapping[str, AgentTerms], policies: Iterable[Policy]) -> None:
        """What neither these policies use nor those of any item is forgotten."""
        self.lines, self.orders, self.policies = {}, set(), set()
        for policy in (*policies, *(item.policy for item in self.items.values())):
            self.learn(policy)
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

    def wrapup(self, id_: str, ms: int) -> int | None:
        agent = self.agents.get(id_)
        wrapping = [hand for hand in agent.hands if hand.work == "wrapup"] if agent else []
        if agent is None or not wrapping:
            return None
        for hand in wrapping:
            hand.until = max(hand.until, self.now) + ms if ms else self.now
        left = max(hand.until for hand in wrapping) - self.now
        if ms:
            self._arm_wrapup(agent)
            self._settle(agent)
        else:
            self._wrapup_expired(agent.id)
        return left

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

    def _arm_wrapup(self, agent: ModelAgent) -> None:
        self._arm(f"wrapup:{agent.id}", (hand.until for hand in agent.hands if hand.work == "wrapup"))

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
