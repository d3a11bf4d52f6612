"""Is anybody there, by a calendar of dialplan/calendars.yaml or by whoever has forced it open or closed?

     same => n,AGI(${AGI}/hours,office)
     same => n,GotoIf($["${HOTLINE_OUTCOME}" = "open"]?open:closed)

HOTLINE_OUTCOME: open, closed, holiday or forced (closed by an operator, whose message has been played).
HOTLINE_HOURS_HOLIDAY: its name; HOTLINE_HOURS_OPENS_DATE (2026-10-08) and HOTLINE_HOURS_OPENS_TIME (09:00).
"""

from engine.asterisk.agi_session import Session
from engine.asterisk.agi_step import perform


async def run(session: Session) -> None:
    """Asks the calendar."""
    await perform(session, "hours")
