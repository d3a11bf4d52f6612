"""Values in words, in the caller's language, and prompts between them.

     same => n,AGI(${AGI}/say,your-balance-is&money:${BALANCE})
     same => n,AGI(${AGI}/say,digits:${HOTLINE_ORDER})

Kinds of values: digits, number, money (12.50), date (2026-10-01), weekday, time (03:05), phone. Or the settings of a
step in a flow: AGI(${AGI}/say,main/balance). HOTLINE_OUTCOME: said, or unspeakable when it is no such value.
"""

from engine.asterisk.agi_session import Session
from engine.asterisk.agi_step import perform


async def run(session: Session) -> None:
    """Says them in one breath; a key cuts them short and is kept for the next script."""
    await perform(session, "say", readers={"say": _parts})


def _parts(text: str) -> list[str | dict[str, str]]:
    halves = [part.partition(":") for part in text.split("&")]
    return [{name: value} if colon else name for name, colon, value in halves]
