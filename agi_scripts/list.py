"""Is this caller on a list, of dialplan/lists.yaml or of `hotline lists add`?

     same => n,AGI(${AGI}/list,block)
     same => n,GotoIf($["${HOTLINE_OUTCOME}" = "listed"]?refuse)

HOTLINE_OUTCOME: listed or not_listed. HOTLINE_LIST_REASON: why. A list with a tier sets HOTLINE_CUSTOMER_TIER.
"""

from engine.asterisk.agi_session import Session
from engine.asterisk.agi_step import perform


async def run(session: Session) -> None:
    """Looks for the caller's number; whoever hides it is on no list."""
    await perform(session, "list")
