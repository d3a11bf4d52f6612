"""What stands in a flow's tests for the rooms that keep what callers leave behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.flow.leg import HungUp, Recorded
from engine.flow.services import Tape
from engine.identity.numbers import Caller
from tests.unit.flow.scripted import ScriptedLeg, Walked, visit_of
from tests.unit.nobody import services_of

FILE = Path("/recordings/voicemail/night/v-1.wav")


class Boxes:
    """Mailboxes whose only tape is as long as the caller spoke last."""

    def __init__(self, *, room: bool = True) -> None:
        self.room = room
        self.spoken_s = 0.0
        self.discarded = False

    async def tape(self, box: str, call_id: str) -> Tape | None:
        return Tape("v-1", box, FILE) if self.room else None

    async def length_s(self, tape: Tape) -> float:
        return self.spoken_s

    async def discard(self, tape: Tape) -> None:
        self.discarded = True


class Letters:
    """An outbox."""

    def __init__(self, *, takes: bool = True) -> None:
        self.takes = takes
        self.sent: list[tuple[str, str, str, Mapping[str, Any]]] = []

    async def send(
        self, call: str, to: str, text: str, *, event: str = "message", facts: Mapping[str, str | int] | None = None
    ) -> bool:
        self.sent.append((event, to, text, facts or {}))
        return self.takes


class Speaker(ScriptedLeg):
    """Says something of each length in turn whenever it is recorded; None: hangs up after the length before it."""

    def __init__(self, boxes: Boxes, spoken_s: Sequence[float | None], keys: Sequence[str] = ()) -> None:
        super().__init__(keys)
        self._boxes, self._spoken_s = boxes, list(spoken_s)

    async def record(self, file: Path, *, longest_s: float, silence_s: float, stops: str = "#") -> Recorded:
        self._boxes.spoken_s = self._spoken_s.pop(0) or 0.0
        if self._spoken_s[:1] == [None]:
            raise HungUp
        return Recorded(file, self._boxes.spoken_s)


class Call:
    """One step, walked by a caller; a caller who hangs up leaves `outcome` empty."""

    def __init__(self, leg: ScriptedLeg, *, boxes: Boxes | None = None, letters: Letters | None = None) -> None:
        self.leg = leg
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.services = services_of(voicemail=boxes or Boxes(), messages=letters or Letters())
        self.outcome = ""

    async def walks(self, step: Any, *, caller: Caller | None = None, **variables: Any) -> str:
        note: Callable[..., None] = lambda event, /, **payload: self.notes.append((event.TYPE, payload))  # noqa: E731
        self.visit = visit_of(self.leg, services=self.services, caller=caller, note=note, **variables)
        try:
            self.outcome = (await step.run(self.visit)).outcome
        except HungUp:
            self.outcome = ""
        return self.outcome

    def noted(self, kind: str) -> list[dict[str, Any]]:
        return [payload for type_, payload in self.notes if type_ == kind]


__all__ = ["FILE", "Boxes", "Call", "Letters", "Speaker", "Walked"]
