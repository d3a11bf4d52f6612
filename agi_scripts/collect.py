"""A number keyed in.

     same => n,AGI(${AGI}/collect,order,ask=enter-order-number,min=6,max=12,confirm=digits)
     same => n,GotoIf($["${HOTLINE_OUTCOME}" = "ok"]?order,${HOTLINE_ORDER},1)

or with the settings of a step in a flow: AGI(${AGI}/collect,main/order_number). The first argument names the variable:
`order` is HOTLINE_ORDER. HOTLINE_OUTCOME: ok, silence, too_short or unconfirmed.
"""

from engine.asterisk.agi_session import Session
from engine.asterisk.agi_step import perform


async def run(session: Session) -> None:
    """Asks until the number is complete or the tries are used up."""
    await perform(session, "collect")
