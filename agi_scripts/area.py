"""Where the caller's number is from.

     same => n,AGI(${AGI}/area)
     same => n,Goto(from-${HOTLINE_OUTCOME},s,1)

The first argument says what HOTLINE_OUTCOME is: `group` (of dialplan/areas.yaml, the default), `province`, `city` or
`carrier`; `unknown` where nobody knows. HOTLINE_CALLER_GROUP, _PROVINCE and _CITY say the rest. HOTLINE_CALLER_NUMBER
is E.164 (+8613800138000; empty for hidden callers and short codes), HOTLINE_CALLER_AREA 广东省深圳市,
HOTLINE_CALLER_CARRIER 中国移动, HOTLINE_CALLER_PRESENTATION allowed, restricted or unavailable.
"""

from engine.asterisk.agi_session import Session
from engine.asterisk.agi_step import perform


async def run(session: Session) -> None:
    """Looks the number up in the tables that come with the engine: nobody is asked."""
    await session.set_variable("HOTLINE_CALLER_NUMBER", session.caller.number)
    await session.set_variable("HOTLINE_CALLER_AREA", session.caller.area)
    await session.set_variable("HOTLINE_CALLER_CARRIER", session.caller.carrier)
    await session.set_variable("HOTLINE_CALLER_PRESENTATION", session.caller.presentation)
    await perform(session, "area", default="group")
