"""Sends a short message, by the company's endpoint for messages; the call does not wait until it is sent.

     same => n,AGI(${AGI}/message,main/tell_order)

The settings are those of a step in a flow (docs/voicemail.md). HOTLINE_OUTCOME: sent (it is kept, and delivered as soon
as the endpoint takes it) or not_possible.
"""

from engine.asterisk.agi_session import Session
from engine.asterisk.agi_step import perform


async def run(session: Session) -> None:
    """Hands it over."""
    await perform(session, "message")
