"""`voicemail`: the caller says something into a box.

leave:
  voicemail: night
  greeting: [leave-message]
  longest: 3m
  confirm: true
  notify: {to: "13912345678", text: "新留言：{caller.number}，{voicemail.seconds} 秒"}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from engine.config.names import Name
from engine.config.units import Seconds
from engine.flow.expression import ExpressionError
from engine.flow.leg import NO_KEY
from engine.flow.services import Tape
from engine.flow.steps.base import Outcome, Step
from engine.flow.steps.message import Wording
from engine.flow.visit import Visit
from engine.journal.events import VoicemailLeft

BEEP, SAVED, TOO_SHORT, MENU = "beep", "message-saved", "message-too-short", "message-menu"
SAVE, LISTEN, AGAIN = "1", "2", "3"


class Voicemail(Step):
    """Says the greeting (# skips it), beeps and records, until #, `silence` or `longest`.

    What is shorter than `least` is asked for again, `tries` times in all. `confirm: true` then lets the caller save it
    (1), hear it (2) or say it again (3). Most callers just hang up: what they have said until then is kept. `notify`
    is a message, with the voicemail's id, box, number and seconds in its JSON too.
    """

    kind: ClassVar[str] = "voicemail"
    outcomes: ClassVar[tuple[str, ...]] = ("left", "nothing", "not_possible")
    voicemail: Name
    greeting: list[str] = Field(default=["leave-message"])
    longest: Seconds = Field(default=180.0, ge=1, le=1800)
    silence: Seconds = Field(default=5.0, ge=1, le=60)
    least: Seconds = Field(default=1.5, ge=0.5, le=60)
    tries: int = Field(default=3, ge=1, le=5)
    confirm: bool = False
    wait: Seconds = 5.0
    notify: Wording | None = None

    async def run(self, visit: Visit) -> Outcome:
        """Records, and keeps what was said however the call goes on. Raises HungUp."""
        await visit.answered()
        tape = await visit.services.voicemail.tape(self.voicemail, visit.call_id)
        if tape is None:
            return self.go("not_possible")
        try:
            said = await self._record(visit, tape)
        finally:
            await self._keep(visit, tape)
        if not said:
            return self.go("nothing", f"{self.tries} tries")
        await visit.say([SAVED])
        return self.go("left")

    async def _record(self, visit: Visit, tape: Tape) -> bool:
        """Until there is something that the caller wants to leave; False when the tries are used up."""
        await visit.say(self.greeting, stops="#")
        for _ in range(self.tries):
            visit.leg.digits.drop()
            await visit.say([BEEP], stops=NO_KEY)
            await visit.leg.record(tape.file, longest_s=self.longest, silence_s=self.silence)
            if await visit.services.voicemail.length_s(tape) < self.least:
                await visit.say([TOO_SHORT])
            elif not self.confirm or await self._confirmed(visit, tape):
                return True
        return await visit.services.voicemail.length_s(tape) >= self.least

    async def _confirmed(self, visit: Visit, tape: Tape) -> bool:
        """False when the caller wants to say it again; silence and other keys mean that it is good."""
        while True:
            await visit.say([MENU])
            key = await visit.leg.digit(self.wait)
            if key == AGAIN:
                return False
            if key != LISTEN:
                return True
            await visit.say([str(tape.file.with_suffix(""))])

    async def _keep(self, visit: Visit, tape: Tape) -> None:
        """Also for a caller who has hung up: then nothing here may raise HungUp."""
        length_s = await visit.services.voicemail.length_s(tape)
        if length_s < self.least:
            await visit.services.voicemail.discard(tape)
            return
        number = visit.caller.number
        visit.note(VoicemailLeft, voicemail=tape.id, box=tape.box, number=number, length_ms=round(length_s * 1000))
        visit.set("voicemail.id", tape.id)
        visit.set("voicemail.seconds", round(length_s))
        if self.notify is not None:
            await self._notify(visit, self.notify, tape, round(length_s))

    async def _notify(self, visit: Visit, wording: Wording, tape: Tape, seconds: int) -> None:
        try:
            to, text = visit.text(wording.to), visit.text(wording.text)
        except ExpressionError:
            to, text = wording.to.text, ""  # whoever it is meant for can tell what it should have been
        facts: dict[str, str | int] = {
            "box": tape.box,
            "voicemail": tape.id,
            "number": visit.caller.number,
            "seconds": seconds,
        }
        await visit.services.messages.send(visit.call_id, to, text, event="voicemail", facts=facts)

    def prompts(self) -> Sequence[str]:
        """The greeting, and what is said about what was left."""
        return [*self.greeting, BEEP, SAVED, TOO_SHORT, *([MENU] if self.confirm else [])]
