"""Callers prove by keys who they are: a member number, an ID card number, a PIN.

     same => n,AGI(${AGI}/verify_member,member&pin,tries=2)
     same => n,GotoIf($["${HOTLINE_OUTCOME}" = "ok"]?balance)

or with the settings of a step in a flow: AGI(${AGI}/verify_member,main/check). HOTLINE_OUTCOME: ok, not_found,
rejected, locked, timeout, unavailable, invalid or gave_up; after ok HOTLINE_CUSTOMER_ID, _NAME, _TIER. What is keyed in
goes to the company's endpoint and nowhere else, into no variable either.
"""

from engine.asterisk.agi_session import Session
from engine.asterisk.agi_step import perform


async def run(session: Session) -> None:
    """Asks, and has the endpoint judge; a `route` in its answer is told, as in caller_lookup."""
    await perform(session, "verify", default="member")
