"""Mailboxes on a real disk and a real database."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from engine.flow.services import Tape
from engine.journal.events import Event, VoicemailDeleted, VoicemailHeard, VoicemailLeft
from engine.store.database import Database
from engine.store.leavings import Leavings
from engine.store.left_behind import VoicemailRow
from engine.store.rows import CallRow
from engine.voicemail import mailboxes
from engine.voicemail.mailboxes import Mailboxes

ZHANG = "+8613800138000"
DAY_S = 86_400


class Office:
    """Mailboxes with everything around them."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.database = database
        self.leavings = Leavings(database)
        self.noted: list[Event] = []
        self.active: set[str] = set()
        self.boxes = Mailboxes(
            folder, database, keep_s=30 * DAY_S, note=self.noted.append, is_active=self.active.__contains__
        )

    async def recorded(self, call_id: str, *, seconds: float = 4.0, age_s: float = 3600.0) -> Tape:
        tape = await self.boxes.tape("night", call_id)
        assert tape is not None
        tape.file.write_bytes(bytes(44 + round(seconds * 16_000)))
        then = time.time() - age_s
        os.utime(tape.file, (then, then))
        return tape

    async def left(self, call_id: str, *, age_s: float = 3600.0) -> VoicemailRow:
        tape = await self.recorded(call_id, age_s=age_s)
        at = round((time.time() - age_s) * 1000)
        row = VoicemailRow(id=tape.id, call_id=call_id, box="night", number=ZHANG, left_ms=at, length_ms=4_000)
        await self.database.record([], [row])
        return row


@pytest.fixture
def office(tmp_path: Path, database: Database) -> Office:
    return Office(tmp_path / "voicemail", database)


async def test_how_much_was_said_is_known_before_the_recording_is_finished(office: Office) -> None:
    tape = await office.recorded("c1", seconds=2.5)
    assert await office.boxes.length_s(tape) == 2.5
    await office.boxes.discard(tape)
    assert await office.boxes.length_s(tape) == 0.0
    await office.boxes.discard(tape)


async def test_two_voicemails_of_one_call_are_two_files(office: Office) -> None:
    files = {(await office.recorded("c1")).file for _ in range(3)}
    assert len(files) == 3


async def test_a_full_disk_records_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailboxes, "LEAST_FREE_BYTES", shutil.disk_usage("/").total * 1024)
    assert await office.boxes.tape("night", "c1") is None


async def test_a_folder_that_cannot_be_made_records_nothing(office: Office, tmp_path: Path) -> None:
    (tmp_path / "voicemail").write_text("not a folder")
    assert await office.boxes.tape("night", "c1") is None


@pytest.mark.parametrize(
    ("box", "voicemail_id"), [("../night", "c1-1a2b"), ("night", "../c1-1a2b"), ("night", "c1"), ("", "c1-1a2b")]
)
def test_a_path_is_made_of_names_only(office: Office, box: str, voicemail_id: str) -> None:
    with pytest.raises(ValueError, match="is no voicemail"):
        office.boxes.file(box, voicemail_id)


async def test_listening_is_noted_in_the_call(office: Office) -> None:
    row = await office.left("c1")
    await office.boxes.heard(row.id, "8001")
    (noted,) = office.noted
    assert isinstance(noted, VoicemailHeard)
    assert (noted.call, noted.voicemail, noted.by) == ("c1", row.id, "8001")


async def test_a_deleted_voicemail_leaves_neither_recording_nor_row(office: Office) -> None:
    row, other = await office.left("c1"), await office.left("c2")
    await office.boxes.delete("c1", "8001")
    assert not office.boxes.file("night", row.id).exists()
    assert office.boxes.file("night", other.id).exists()
    assert [left.id for left in await office.leavings.voicemails()] == [other.id]
    assert [type(event) for event in office.noted] == [VoicemailDeleted]


async def test_what_is_older_than_the_admin_keeps_it_is_deleted(office: Office) -> None:
    old, young = await office.left("c1", age_s=31 * DAY_S), await office.left("c2", age_s=29 * DAY_S)
    await office.boxes.tidy()
    assert [left.id for left in await office.leavings.voicemails()] == [young.id]
    assert not office.boxes.file("night", old.id).exists()


async def test_what_a_killed_engine_was_recording_is_found(office: Office) -> None:
    await office.database.record(
        [], [CallRow(id="c1", number=ZHANG, arrived_ms=1, ended_ms=2, end_reason="abandoned_ivr")]
    )
    tape = await office.recorded("c1", seconds=4.0)
    await office.boxes.tidy()
    (left,) = office.noted
    assert isinstance(left, VoicemailLeft)
    assert (left.call, left.voicemail, left.box, left.number, left.length_ms) == ("c1", tape.id, "night", ZHANG, 4_000)


async def test_nothing_is_found_twice_nor_while_it_may_still_be_reported(office: Office) -> None:
    await office.left("c1")
    await office.recorded("c2", age_s=60)
    await office.recorded("c3")
    office.active.add("c3")
    await office.boxes.tidy()
    assert office.noted == []


async def test_a_click_that_nobody_reported_is_thrown_away(office: Office) -> None:
    tape = await office.recorded("c1", seconds=0.5)
    await office.boxes.tidy()
    assert office.noted == []
    assert not tape.file.exists()


async def test_other_files_in_the_folder_are_left_alone(office: Office) -> None:
    tape = await office.recorded("c1")
    stranger = tape.file.rename(tape.file.with_name("Copy of c1.wav"))
    await office.boxes.tidy()
    assert stranger.exists()
    assert office.noted == []
