"""`extension`: dial an agent or a branch by its number.

colleague:
  extension: keyed
  ask: [enter-extension]
  patience: 30s
  when: {busy: leave_message, absent: leave_message, no_answer: leave_message, unknown: operator}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from engine.config.names import Extension as Number
from engine.config.names import Name
from engine.config.units import Seconds
from engine.flow.entry import Entry, EntryState, key_in
from engine.flow.expression import ExpressionError, Template
from engine.flow.steps.base import Outcome, Step, ToAgent, ToNumber
from engine.flow.visit import Visit
from engine.journal.events import IvrEntered

if TYPE_CHECKING:
    from engine.config.site import Site

KEYED = Template("keyed")


class Extension(Step):
    """Asks for an extension by keys (`extension: keyed`), or takes one from the call (`"8001"`, `"{owner}"`).

    An agent's: the caller waits for that very agent. One who is not ready or has no phone is `absent` at once. One
    who talks or wraps up is waited for as long as `patience`, then `timed_out`; with `patience: 0s` they are `busy`.
    A free one's phone rings for `ring`; then `no_answer`, or `busy` when they reject the call. A branch's (in
    dialplan/hotline.yaml): its number is called, or its phone; also `unreachable`, and `refused` by every trunk. What
    is neither is asked for again, `tries` times, then `unknown`. After the other side has hung up: `served`.

    `among` limits who can be reached; without it, every agent and every branch.
    """

    kind: ClassVar[str] = "extension"
    outcomes: ClassVar[tuple[str, ...]] = (
        *("busy", "absent", "no_answer", "timed_out", "unknown"),
        *("unreachable", "refused", "served"),
    )
    extension: Template
    ask: list[str] = Field(default=["enter-extension"], min_length=1)
    among: list[Number | Name] = Field(default_factory=list)
    wait: Seconds = 8.0
    tries: int = Field(default=3, ge=1, le=10)
    patience: Seconds = 30.0
    ring: Seconds = Field(default=20.0, gt=0, le=180)
    wrap_up: Seconds = 10.0
    music: Name = "default"

    async def run(self, visit: Visit) -> Outcome:
        """Whom to call, and where to come back to. Raises HungUp."""
        try:
            extension = await self._asked_for(visit)
        except ExpressionError as error:
            return self.go("unknown", str(error))
        if extension not in self.directory(visit.site):
            return self.go("unknown", extension)
        visit.set("extension", extension)
        if extension in visit.site.agents:
            return ToAgent(
                agent=extension,
                ring_s=self.ring,
                patience_s=self.patience,
                wrap_up_s=self.wrap_up,
                music=self.music,
                branches=self.when,
                then=self.then,
            )
        number = visit.site.hotline.branches[extension].number or ""
        return ToNumber(number=number, extension=extension, ring_s=self.ring, branches=self.when, then=self.then)

    async def _asked_for(self, visit: Visit) -> str:
        if self.extension != KEYED:
            return visit.text(self.extension)
        directory = self.directory(visit.site)
        entry = Entry(max=max(map(len, directory), default=1), first=self.wait)
        for _ in range(self.tries):
            await visit.say(self.ask)
            keyed = await key_in(visit.leg, entry)
            if keyed.state is EntryState.COMPLETE:
                visit.note(IvrEntered, keys=keyed.keys, length=len(keyed.keys))
                if keyed.keys in directory:
                    return keyed.keys
            await visit.say(["no-input" if keyed.state is EntryState.SILENCE else "extension-unknown"])
        return ""

    def directory(self, site: Site) -> set[str]:
        """Everyone who can be reached."""
        known = {*site.agents, *site.hotline.branches}
        return known.intersection(self.among) if self.among else known

    def sets(self) -> Sequence[str]:
        """The one that was dialled."""
        return ["extension"]

    def prompts(self) -> Sequence[str]:
        """The question, and what is said of mistakes."""
        return [*self.ask, "no-input", "extension-unknown"] if self.extension == KEYED else []
