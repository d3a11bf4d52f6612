"""Where an item stands: its step, its line, its next moment."""

from __future__ import annotations

from engine.acd import Empty, parse
from engine.acd.policy import line_of
from tests.acd.model.facts import Facts
from tests.acd.model.records import NEVER, ModelItem

AFTER_A_MOMENT = 3_000


class Steps(Facts):
    """The steps of an item's policy, before them the preferred agent's own line."""

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
