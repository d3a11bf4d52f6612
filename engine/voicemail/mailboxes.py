"""The recordings of voicemails: FOLDER/BOX/ID.wav, 8 kHz, 16 bit, mono. Their rows are in the database."""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from engine.flow.services import Tape
from engine.http.signature import now_ms
from engine.journal.events import Event, VoicemailDeleted, VoicemailHeard, VoicemailLeft
from engine.store.database import Database, DatabaseDown
from engine.store.leavings import Leavings, Voicemail
from engine.store.left_behind import VoicemailRow

log = structlog.get_logger(__name__)

HEADER_BYTES, BYTES_A_SECOND = 44, 16_000
LEAST_FREE_BYTES = 200 * 1024 * 1024
TIDY_EVERY_S = 600.0
# A recording this old whose call has ended belongs to nobody who would still report it.
ORPHANED_AFTER_S = 600.0
# What is shorter was not meant for anybody.
LEAST_S = 1.0

_BOX = re.compile(r"[A-Za-z0-9_-]{1,40}")
# A call's id, ours or one of Asterisk's where an AGI script recorded, and what tells its voicemails apart.
_ID = re.compile(r"([0-9A-Za-z][0-9A-Za-z._-]{0,80})-[0-9a-f]{4}")


@dataclass(frozen=True, slots=True)
class _Found:
    """A recording on the disk; `at_s`: when it was last written to, in seconds since the epoch."""

    file: Path
    id: str
    call_id: str
    at_s: float
    length_s: float


class Mailboxes:
    """All boxes of one hotline. `keep_s`: after so many seconds a voicemail is deleted."""

    def __init__(
        self,
        folder: Path,
        database: Database,
        *,
        keep_s: float,
        note: Callable[[Event], None],
        is_active: Callable[[str], bool],
    ) -> None:
        """`is_active`: whether a call of this id is still going on."""
        self._folder = folder
        self._database = database
        self._leavings = Leavings(database)
        self.keep_s = keep_s
        self._note = note
        self._is_active = is_active

    # For the call that records.

    async def tape(self, box: str, call_id: str) -> Tape | None:
        """A new one; None, and logged, where there is no room for what the caller might say."""
        voicemail_id = f"{call_id}-{secrets.token_hex(2)}"
        tape = Tape(voicemail_id, box, self.file(box, voicemail_id))
        try:
            free = await asyncio.to_thread(_make_room, tape.file.parent)
        except OSError as error:
            log.error("voicemail.no_folder", folder=str(tape.file.parent), error=str(error))  # noqa: TRY400
            return None
        if free < LEAST_FREE_BYTES:
            log.error("voicemail.disk_full", folder=str(self._folder), free_mb=free // 2**20, remedy="free some space")
            return None
        return tape

    async def length_s(self, tape: Tape) -> float:
        """How much has been said on it, in seconds; by its size, as its header may not be finished."""
        return await asyncio.to_thread(_length_s, tape.file)

    async def discard(self, tape: Tape) -> None:
        """Nothing worth keeping is on it."""
        await asyncio.to_thread(tape.file.unlink, missing_ok=True)

    # For those who listen.

    def file(self, box: str, voicemail_id: str) -> Path:
        """Where a recording is. Raises ValueError for what is no name of a box or id of a voicemail."""
        if not _BOX.fullmatch(box) or not _ID.fullmatch(voicemail_id):
            raise ValueError(f"{box}/{voicemail_id} is no voicemail")
        return self._folder / box / f"{voicemail_id}.wav"

    async def unheard(self, box: str = "") -> list[Voicemail]:
        """What nobody has heard yet, in one box or in all, the oldest first; of a great many only the latest. Raises
        DatabaseDown."""
        return (await self._leavings.voicemails(box=box, unheard=True))[::-1]

    async def heard(self, id_or_prefix: str, by: str) -> VoicemailRow:
        """Somebody has listened to it. Raises UnknownLeaving, AmbiguousId, DatabaseDown."""
        row = await self._leavings.heard(id_or_prefix, by)
        self._note(VoicemailHeard(row.call_id, now_ms(), voicemail=row.id, by=by))
        return row

    async def delete(self, id_or_prefix: str, by: str) -> VoicemailRow:
        """Deletes the recording, then its row. Raises UnknownLeaving, AmbiguousId, DatabaseDown."""
        row = await self._leavings.voicemail(id_or_prefix)
        await self._delete(row, by)
        return row

    async def _delete(self, row: VoicemailRow, by: str) -> None:
        await asyncio.to_thread(self.file(row.box, row.id).unlink, missing_ok=True)
        await self._leavings.forget_voicemail(row.id)
        self._note(VoicemailDeleted(row.call_id, now_ms(), voicemail=row.id, by=by))

    # By itself.

    async def run(self) -> None:
        """Tidies up until cancelled."""
        while True:
            try:
                await self.tidy()
            except (DatabaseDown, OSError) as error:
                log.warning("voicemail.not_tidied", why=str(error))
            await asyncio.sleep(TIDY_EVERY_S)

    async def tidy(self) -> None:
        """Deletes what is too old, and finds what was recorded and never reported, because the engine was killed
        meanwhile. Raises DatabaseDown, OSError."""
        for row in await self._leavings.voicemails_before(now_ms() - round(self.keep_s * 1000)):
            await self._delete(row, "retention")
        old = {
            found.id: found
            for found in await asyncio.to_thread(_unchanged_for, self._folder, ORPHANED_AFTER_S)
            if not self._is_active(found.call_id)
        }
        for voicemail_id in sorted(set(old) - await self._leavings.known_voicemails(list(old))):
            await self._adopt(old[voicemail_id])

    async def _adopt(self, found: _Found) -> None:
        if found.length_s < LEAST_S:
            await asyncio.to_thread(found.file.unlink, missing_ok=True)
            return
        call = await self._database.call(found.call_id)
        log.info("voicemail.found", id=found.id, box=found.file.parent.name)
        self._note(
            VoicemailLeft(
                found.call_id,
                round(found.at_s * 1000),
                voicemail=found.id,
                box=found.file.parent.name,
                number=call.number if call else "",
                length_ms=round(found.length_s * 1000),
            )
        )


def _make_room(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder).free


def _length_s(file: Path) -> float:
    try:
        return max(0, file.stat().st_size - HEADER_BYTES) / BYTES_A_SECOND
    except FileNotFoundError:
        return 0.0


def _unchanged_for(folder: Path, seconds: float) -> Sequence[_Found]:
    found = []
    for file in folder.glob("*/*.wav"):
        at_s = file.stat().st_mtime
        if (named := _ID.fullmatch(file.stem)) and at_s < now_ms() / 1000 - seconds:
            found.append(_Found(file, file.stem, named[1], at_s, _length_s(file)))
    return found
