"""Variables that are read and that nothing sets: most of them are misspelt."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping

from engine.config.check import Finding, warning
from engine.config.site import Site
from engine.config.source import Source
from engine.flow.reads import places
from engine.flow.visit import caller_facts
from engine.identity.numbers import Caller

# Of every call; `route.…` is what an answer of the identity endpoint leaves behind.
OF_EVERY_CALL = {*caller_facts(Caller("", "", "allowed", "", ""), dialled=""), "language"}
ANSWERS = ("lookup", "verify")


def look(site: Site, sources: Mapping[str, Source]) -> Iterator[Finding]:
    """Each name that nothing gives a value, where it is read.

    An answer of the identity endpoint may hold any variable and any attribute of the customer; where flows ask it,
    a name is only told of when it is nearly that of one that is set.
    """
    steps = [box for flow in site.flows.values() for _, box in flow]
    known = OF_EVERY_CALL | {name for box in steps for name in box.sets()}
    answered = any(box.kind in ANSWERS for box in steps)
    if answered or any(each.tier for each in site.lists.values()):
        known.add("customer.tier")
    for flow_name, flow in site.flows.items():
        for step, box in flow:
            for where, name in places(box):
                if name in known:
                    continue
                near = _near(name, known)
                if near or not (answered and ("." not in name or name.startswith("customer."))):
                    meant = f" (did you mean `{near}`?)" if near else ""
                    said = f"nothing gives `{name}` a value: it is always empty{meant}"
                    yield warning(sources[flow_name].fault(("steps", step, *where), said))


def _near(name: str, known: Collection[str]) -> str:
    """The known name that was meant; of `customer.tear`, only what stands behind the dot is compared."""
    owner, _, own = name.rpartition(".")
    same_owner = {other.rpartition(".")[2]: other for other in sorted(known) if other.rpartition(".")[0] == owner}
    close = difflib.get_close_matches(own, same_owner, n=1, cutoff=0.75)
    return same_owner[close[0]] if close else ""
