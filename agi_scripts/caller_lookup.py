"""Who the caller is, by the word of the company's identity endpoint (docs/identity.md).

     same => n,AGI(${AGI}/caller_lookup)

HOTLINE_IDENTITY: ok, not_found, rejected, locked, timeout, unavailable or invalid. HOTLINE_NAME, HOTLINE_TIER:
the customer's, empty for whoever is not known. Takes no longer than the endpoint's deadline.
"""

from engine.asterisk.agi_session import Session
from engine.identity.contract import Customer


async def run(session: Session) -> None:
    """Asks by the caller's number and sets the three variables."""
    answer = await session.identity.look_up(
        session.caller, dialled=session.dialled, call_id=session.call_id, variables={}
    )
    customer = answer.customer or Customer()
    await session.set_variable("HOTLINE_IDENTITY", answer.outcome)
    await session.set_variable("HOTLINE_NAME", customer.name)
    await session.set_variable("HOTLINE_TIER", customer.tier)
