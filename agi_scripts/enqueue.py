"""Into a queue: the caller waits for an agent, and comes back to the next line of the dialplan.

     same => n,AGI(${AGI}/enqueue,sales)
     same => n,GotoIf($["${HOTLINE_OUTCOME}" = "served"]?bye:sorry)

or with the settings of a step in a flow: AGI(${AGI}/enqueue,main/sales). HOTLINE_OUTCOME: served (the agent has hung
up), timed_out, no_engine, error. A caller who hangs up does not come back. HOTLINE_CUSTOMER_NAME is what the agent's
phone shows, HOTLINE_CUSTOMER_TIER gives the tier's head start: of caller_lookup, or set by the dialplan.
"""

from engine.asterisk import agi_errand
from engine.asterisk.agi_session import Session


async def run(session: Session) -> None:
    """The engine does it, after this script."""
    await agi_errand.send(session, "queue")
