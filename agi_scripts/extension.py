"""To an agent or a branch by their extension, and back to the next line of the dialplan.

     same => n,AGI(${AGI}/extension,keyed,patience=30s)
     same => n,GotoIf($["${HOTLINE_OUTCOME}" = "served"]?bye)

The first argument is the extension, or `keyed` to ask for it; or the settings are those of a step in a flow:
AGI(${AGI}/extension,main/colleague). HOTLINE_OUTCOME: served (the other side has hung up), busy, absent, no_answer,
timed_out, unknown, unreachable, refused, no_engine, error. HOTLINE_EXTENSION: who it was.
"""

from engine.asterisk import agi_errand
from engine.asterisk.agi_session import Session


async def run(session: Session) -> None:
    """The engine does it, after this script."""
    await agi_errand.send(session, "extension")
