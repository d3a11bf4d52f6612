"""`lookup`: ask the identity endpoint who is calling.

who:
  lookup: caller
  when: {rejected: refused}
  then: menu
"""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.flow.patience import with_music
from engine.flow.route import obey
from engine.flow.steps.base import Outcome, Step
from engine.flow.visit import Visit
from engine.identity.contract import Outcome as Answered
from engine.identity.endpoint import Answer
from engine.journal.events import CallIdentified, LookupFinished, LookupStarted


class Lookup(Step):
    """One question to the identity endpoint, one branch for each way it may answer.

    An answer with a `route` is obeyed (docs/identity.md), unless `obey: false`.
    """

    kind: ClassVar[str] = "lookup"
    silent: ClassVar[bool] = True
    outcomes: ClassVar[tuple[str, ...]] = tuple(outcome.value for outcome in Answered)
    lookup: Literal["caller"]
    obey: bool = True

    async def run(self, visit: Visit) -> Outcome:
        """Asks; music after a second of silence. Raises HungUp."""
        identity = visit.site.hotline.identity
        visit.note(LookupStarted, url=identity.url if identity else "")
        answer = await with_music(
            visit.leg,
            visit.services.identity.look_up(
                visit.caller, dialled=visit.dialled, call_id=visit.call_id, variables=visit.own_values()
            ),
        )
        know(visit, answer)
        elsewhere = await obey(answer.route, visit) if self.obey and answer.route else None
        return elsewhere or self.go(answer.outcome)

    def sets(self) -> tuple[str, ...]:
        """What an answer tells."""
        return ("customer.id", "customer.name", "customer.tier")


def know(visit: Visit, answer: Answer) -> None:
    """Keeps what an answer told about the caller, and notes it."""
    said = answer.customer.model_dump(exclude_defaults=True) if answer.customer else None
    visit.note(LookupFinished, outcome=answer.outcome, ms=answer.ms, answer=said, detail=answer.detail)
    remember(visit, answer)
    visit.note(CallIdentified, outcome=answer.outcome, customer=said, ms=answer.ms, cached=answer.cached)


def remember(visit: Visit, answer: Answer) -> None:
    """Keeps what an answer told; of another customer, who may have been taken for the caller before, nothing."""
    variables, customer = visit.variables, answer.customer
    if customer is not None:
        for name in [name for name in variables if name.startswith("customer.")]:
            del variables[name]
        variables |= {f"customer.{name}": value for name, value in customer.attributes.items() if name != "verified"}
        variables |= {
            "customer.id": customer.id,
            "customer.name": customer.name,
            "customer.tier": customer.tier,
        }
    for name, value in answer.variables.items():
        if "." not in name:  # the names with a dot are ours
            visit.set(name, value)
