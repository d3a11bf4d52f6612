"""Why an offer went to whom it did, in words."""

from engine.journal.events import Candidate, OfferCreated
from engine.journal.spans import span

DRAWN = frozenset({"random", "weighted"})  # orders without a first and a next


def chosen(event: OfferCreated) -> str:
    """What is said of the agent who was offered it, behind their name."""
    stands = next(
        (value(each) for each in event.candidates if each.agent == event.agent), f"idle {span(event.idle_ms)}"
    )
    match event.by:
        case "free":
            return "came free, and it was first in their lines"
        case "ahead":
            return f"reserved ahead: wraps up for {span(event.free_in_ms)} more"
        case "hand":
            how = "chosen by hand"
        case "preferred":
            how = "comes first as the preferred agent"
        case "prefer":
            how = f"comes first by preference {event.prefer}"
        case _:
            how = "drawn" if event.order in DRAWN else "considered first"
    return f"{how}: {stands}" if stands else how


def is_next(event: OfferCreated) -> bool:
    """Whether the candidates after the chosen one are those who would have come next, in this order."""
    return event.by in {"", "prefer"} and event.order not in DRAWN


def value(candidate: Candidate) -> str:
    """What spoke for them by the order; "" where it has no figure, as the turn and chance."""
    busy, calls = candidate.busy_ms, candidate.calls
    said = (
        "" if not candidate.at_hand else f"{candidate.at_hand} at hand",
        "" if calls is None else f"{calls} call{'' if calls == 1 else 's'}",
        "" if candidate.proficiency is None else f"proficiency {candidate.proficiency}",
        "" if busy is None else f"at work {span(busy)} lately",
        "no offer yet" if candidate.last_offer == 0 else "",
        "" if candidate.rank is None else f"number {candidate.rank + 1} of the list",
        "" if candidate.weight is None else f"weight {candidate.weight}",
        "" if candidate.idle_ms is None else f"idle {span(candidate.idle_ms)}",
    )
    return ", ".join(filter(None, said))


def priority_of(head_start_ms: int, strict: int, *, urgent: bool) -> str:
    """What its score was made of beside its wait."""
    said = (
        f"head start {span(head_start_ms)}" if head_start_ms else "",
        f"strict level {strict}" if strict else "",
        "waited as long as it may, so before everybody else" if urgent else "",
    )
    return ", ".join(filter(None, said))
