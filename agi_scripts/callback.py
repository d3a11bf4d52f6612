"""Offers to call the caller back: on the number that they call from, or on another, keyed in and confirmed.

     same => n,AGI(${AGI}/callback,sales)
     same => n,GotoIf($["${HOTLINE_OUTCOME}" = "accepted"]?bye)

The first argument is the queue whose agents will call (`hotline callbacks`); or the settings are those of a step in a
flow: AGI(${AGI}/callback,main/offer). HOTLINE_OUTCOME: accepted, declined or not_possible. HOTLINE_CALLBACK_NUMBER: the
number that will be called.
"""

from engine.asterisk.agi_session import Session
from engine.asterisk.agi_step import perform


async def run(session: Session) -> None:
    """Offers, asks, takes the request down."""
    await perform(session, "callback")
