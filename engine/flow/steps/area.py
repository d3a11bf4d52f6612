"""`area`: where is the caller from?

where:
  area: group
  when: {south: guangzhou, north: beijing}
  then: menu
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from engine.flow.steps.base import Next, Outcome, Step
from engine.flow.visit import Visit
from engine.identity.groups import OTHER, SHORT, UNKNOWN, group, own, place


class Area(Step):
    """One way for each group of areas.yaml, province, city or carrier that `when` names; `other` for all that it
    does not name, `unknown` where nobody knows.

    Sets `caller.province`, `caller.city`, `caller.group`. Both names of a place will do: 广东 and 广东省.
    """

    kind: ClassVar[str] = "area"
    silent: ClassVar[bool] = True
    area: Literal["group", "province", "city", "carrier"]

    async def run(self, visit: Visit) -> Outcome:
        """Where they are from, as far as their number says."""
        where, groups = place(visit.caller.area), group(visit.caller, visit.site.areas)
        visit.variables |= {
            "caller.province": where.province,
            "caller.city": where.cities[0] if where.cities else "",
            "caller.group": groups,
        }
        names = (groups,) if self.area == "group" else own(visit.caller, self.area)
        return Next(self._way(names), names[0] if names else UNKNOWN)

    def _way(self, names: Sequence[str]) -> str | None:
        short = SHORT.get(self.area, str)
        named = next((target for name, target in self.when.items() if short(name) in names), None)
        return named or self.when.get(OTHER if names else UNKNOWN, self.then)

    def possible(self) -> Sequence[str]:
        """What is written; the checker knows which names there are (engine/config/references.py)."""
        return tuple(dict.fromkeys((*self.when, OTHER, UNKNOWN)))

    def sets(self) -> Sequence[str]:
        """What a number tells."""
        return ("caller.province", "caller.city", "caller.group")
