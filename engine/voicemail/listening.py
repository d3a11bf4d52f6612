"""Somebody listens to voicemails on a phone."""

from __future__ import annotations

from engine.flow.leg import Leg
from engine.speech import Kind, prompts_for
from engine.store.leavings import Voicemail
from engine.voicemail.mailboxes import Mailboxes

AGAIN, NEXT, DELETE, END = "1", "2", "3", "#*"
# After a voicemail: who presses nothing hears the next.
DECIDES_S = 3.0


async def listen(leg: Leg, boxes: Mailboxes, *, box: str = "", by: str) -> None:
    """How many voicemails nobody has heard yet, in one box or in all, and then each of them, the oldest first:
    what was said, and the caller's number.

    At any time: 1 again, 2 the next, 3 delete, # or * the end. What was heard is heard, however it was left; by a
    hang-up only when it had been played to its end. Raises HungUp, DatabaseDown.
    """
    unheard = await boxes.unheard(box)
    await leg.play(prompts_for(Kind.NUMBER, str(len(unheard)), leg.language), stops=END)
    for voicemail in unheard:
        key = await _play(leg, boxes, voicemail)
        while key == AGAIN:
            key = await _play(leg, boxes, voicemail)
        if key == DELETE:
            await boxes.delete(voicemail.id, by)
        else:
            await boxes.heard(voicemail.id, by)
        if key is not None and key in END:
            return


async def _play(leg: Leg, boxes: Mailboxes, voicemail: Voicemail) -> str | None:
    """The key pressed meanwhile, or soon after."""
    who = prompts_for(Kind.PHONE, voicemail.number, leg.language) if voicemail.number else []
    recording = str(boxes.file(voicemail.box, voicemail.id).with_suffix(""))
    finished = await leg.play(["beep", recording, *who])
    return await leg.digit(DECIDES_S if finished else 0.0)
