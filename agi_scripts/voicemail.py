"""The caller says something into a box.

     same => n,AGI(${AGI}/voicemail,night,longest=2m)
     same => n,GotoIf($["${HOTLINE_OUTCOME}" = "left"]?bye)

The first argument is the box; or the settings are those of a step in a flow: AGI(${AGI}/voicemail,night/leave).
HOTLINE_OUTCOME: left, nothing or not_possible. HOTLINE_VOICEMAIL_ID and HOTLINE_VOICEMAIL_SECONDS: which it was. A
caller who hangs up while they speak has left what they said.
"""

from engine.asterisk.agi_session import Session
from engine.asterisk.agi_step import perform


async def run(session: Session) -> None:
    """Greets, beeps, records."""
    await perform(session, "voicemail")
