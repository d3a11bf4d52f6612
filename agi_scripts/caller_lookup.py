"""Who the caller is, by the word of the company's identity endpoint (docs/identity.md).

     same => n,AGI(${AGI}/caller_lookup)
     same => n,GotoIf($["${HOTLINE_CUSTOMER_TIER}" = "VIP"]?vip,s,1)

HOTLINE_OUTCOME: ok, not_found, rejected, locked, timeout, unavailable or invalid. HOTLINE_CUSTOMER_ID, _NAME, _TIER
and whatever else the endpoint says. A `route` in its answer is told and not followed, as here the dialplan decides:
HOTLINE_ROUTE_ACTION and HOTLINE_ROUTE_TARGET; its priority, requirement and announcement hold for enqueue.
"""

from engine.asterisk.agi_session import Session
from engine.asterisk.agi_step import perform


async def run(session: Session) -> None:
    """Asks by the caller's number; takes no longer than the endpoint's deadline."""
    await perform(session, "lookup", default="caller")
