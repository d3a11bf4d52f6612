"""For an agent's phone: the voicemails that nobody has heard yet. Not for callers.

    exten => *97,1,Answer()
     same => n,AGI(${AGI}/mailbox,night)
     same => n,Hangup()

The argument is a box; without it, all of them. Says how many there are, then what each caller said, and their number:
1 again, 2 next, 3 delete, # end.
"""

from engine.asterisk.agi_session import Session
from engine.voicemail import Mailboxes, listen


async def run(session: Session) -> None:
    """Plays them, and notes who has heard them."""
    boxes = session.rooms.services.voicemail
    if not isinstance(boxes, Mailboxes):
        raise TypeError("this hotline has no mailboxes")
    await session.answer()
    box = session.arguments[0] if session.arguments else ""
    await listen(session, boxes, box=box, by=session.caller.raw or "a phone")
