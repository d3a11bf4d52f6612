"""An agent hears voicemails on their phone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.flow.leg import HungUp
from engine.journal.events import Event
from engine.speech import Kind, prompts_for
from engine.store.database import Database
from engine.store.leavings import Leavings
from engine.store.left_behind import VoicemailRow
from engine.voicemail import Mailboxes, listen
from tests.unit.flow.scripted import ScriptedLeg

FIRST, SECOND, OTHER = "c1-0001", "c2-0002", "c3-0003"


class Desk:
    """Three voicemails, and an agent who presses keys."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder, self._database = folder, database
        self.leavings = Leavings(database)
        noted: list[Event] = []
        self.boxes = Mailboxes(folder, database, keep_s=1e9, note=noted.append, is_active=lambda _: False)

    async def open(self) -> None:
        left = [(FIRST, "night", "+8613800138000"), (SECOND, "night", ""), (OTHER, "sales", "")]
        await self._database.record(
            [],
            [
                VoicemailRow(id=i, call_id=i[:2], box=box, number=number, left_ms=at, length_ms=1)
                for at, (i, box, number) in enumerate(left)
            ],
        )
        for voicemail, box, _ in left:
            file = self.boxes.file(box, voicemail)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"RIFF")

    async def listens(self, *keys: str, box: str = "night", leg: ScriptedLeg | None = None) -> list[str]:
        """The voicemails that were played, in their order."""
        leg = leg or ScriptedLeg(keys)
        await listen(leg, self.boxes, box=box, by="8001")
        return [Path(heard).name for heard in leg.heard if heard.startswith(str(self._folder))]

    async def unheard(self) -> set[str]:
        return {row.id for row in await self.leavings.voicemails(unheard=True)}

    async def there(self) -> set[str]:
        return {row.id for row in await self.leavings.voicemails()}


@pytest.fixture
async def desk(tmp_path: Path, database: Database) -> Desk:
    desk = Desk(tmp_path, database)
    await desk.open()
    return desk


async def test_the_oldest_comes_first_and_what_was_played_is_heard(desk: Desk) -> None:
    assert await desk.listens() == [FIRST, SECOND]
    assert await desk.unheard() == {OTHER}
    assert [row.heard_by for row in await desk.leavings.voicemails(box="night")] == ["8001", "8001"]


async def test_without_a_box_all_of_them_are_played(desk: Desk) -> None:
    assert await desk.listens(box="") == [FIRST, SECOND, OTHER]


async def test_their_number_and_the_callers_are_said(desk: Desk) -> None:
    leg = ScriptedLeg()
    await desk.listens(leg=leg)
    number = prompts_for(Kind.PHONE, "+8613800138000", "en")
    said = [prompt for prompt in leg.heard if not prompt.startswith("/")]
    assert said == [*prompts_for(Kind.NUMBER, "2", "en"), "beep", *number, "beep"]


async def test_one_may_be_heard_again_skipped_and_deleted(desk: Desk) -> None:
    assert await desk.listens("1", "1", "3", "2") == [FIRST, FIRST, FIRST, SECOND]
    assert await desk.there() == {SECOND, OTHER}
    assert await desk.unheard() == {OTHER}
    assert not desk.boxes.file("night", FIRST).exists()


@pytest.mark.parametrize("end", "#*")
async def test_who_ends_it_hears_the_rest_another_time(desk: Desk, end: str) -> None:
    assert await desk.listens(end) == [FIRST]
    assert await desk.unheard() == {SECOND, OTHER}


async def test_who_hangs_up_in_the_middle_hears_it_another_time(desk: Desk) -> None:
    class HangsUp(ScriptedLeg):
        async def play(self, prompts: Sequence[str], *, stops: str = "") -> bool:
            if "beep" in prompts:
                raise HungUp
            return True

    with pytest.raises(HungUp):
        await desk.listens(leg=HangsUp())
    assert await desk.unheard() == {FIRST, SECOND, OTHER}


async def test_with_nothing_new_it_says_so_and_ends(desk: Desk) -> None:
    leg = ScriptedLeg()
    assert await desk.listens(box="nobody", leg=leg) == []
    assert leg.heard == prompts_for(Kind.NUMBER, "0", "en")
