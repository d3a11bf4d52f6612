"""Where the caller's number is from.

     same => n,AGI(${AGI}/area)

HOTLINE_NUMBER: E.164 (+8613800138000), empty for hidden callers and short codes. HOTLINE_AREA: 北京市.
HOTLINE_CARRIER: 中国移动. HOTLINE_PRESENTATION: allowed, restricted or unavailable.
"""

from engine.asterisk.agi_session import Session


async def run(session: Session) -> None:
    """Sets the four variables; an unknown area or carrier is empty."""
    await session.set_variable("HOTLINE_NUMBER", session.caller.number)
    await session.set_variable("HOTLINE_AREA", session.caller.area)
    await session.set_variable("HOTLINE_CARRIER", session.caller.carrier)
    await session.set_variable("HOTLINE_PRESENTATION", session.caller.presentation)
