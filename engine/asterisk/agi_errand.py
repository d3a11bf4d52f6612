"""What a script cannot do itself: a step that needs agents or outside lines, done by the engine with the channel.

The script ends; the dialplan goes through [hotline-errand], where Stasis(hotline,…) gives the channel to the engine
(engine/call/errand.py), and comes back to the line below the script's with HOTLINE_OUTCOME.
"""

from __future__ import annotations

from engine.asterisk.agi_session import Session
from engine.asterisk.dialplan import BadArguments, inert, step_from

CONTEXT = "hotline-errand"
ERRAND = "HOTLINE_ERRAND"

# At the number that was dialled, for the engine to know it; `h` and the like are none.
DIALPLAN = f"""
[{CONTEXT}]
exten => _[0-9*#]!,1,Stasis(hotline,${{{ERRAND}}})
 same => n,ExecIf($["${{STASISSTATUS}}" = "FAILED"]?Set(HOTLINE_OUTCOME=no_engine))
 same => n,Return()
"""


async def send(session: Session, kind: str) -> None:
    """Has the engine do the step that the script's arguments are. Raises BadArguments, HungUp, AgiError."""
    for argument in session.arguments:
        if argument != inert(argument):
            raise BadArguments(f"`{argument}` cannot be passed on: it has characters that act in a dialplan")
    step_from(kind, session.arguments, session.rooms.site)
    await session.set_arguments(ERRAND, [kind, *session.arguments])
    await session.go_sub(CONTEXT)
