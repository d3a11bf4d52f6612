"""How was it? One key; of use after enqueue, when the agent has hung up.

     same => n,AGI(${AGI}/survey,survey-ask,highest=5)

or with the settings of a step in a flow: AGI(${AGI}/survey,main/how_was_it). HOTLINE_OUTCOME: answered, silence or
wrong_key. The answer counts for the queue and the agent of the caller's last errand (`hotline surveys`).
"""

from engine.asterisk.agi_session import Session
from engine.asterisk.agi_step import perform


async def run(session: Session) -> None:
    """Asks, and thanks; silence ends it."""
    await perform(session, "survey", default="survey-ask")
