"""What callers have left behind, for those who deal with it: voicemails, callbacks, answers to surveys."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, func, select, update

from engine.store.database import Database
from engine.store.left_behind import CallbackRow, Closed, VoicemailRow
from engine.store.tables import callbacks, calls, survey_answers, voicemails

_OPEN = callbacks.c.closed_ms.is_(None)
_NAME = func.coalesce(calls.c.customer_name, "").label("name")


class UnknownLeaving(Exception):  # noqa: N818 - said to a person
    """Nothing of this id was left behind."""


@dataclass(frozen=True, slots=True)
class Voicemail(VoicemailRow):
    """With the caller's name, where it is known."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class Callback(CallbackRow):
    """With the caller's name, where it is known."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """How callers who talked with an agent in a queue have answered a question: `average` of 1 to 5."""

    question: str
    queue: str
    agent: str
    answers: int
    average: float


class Leavings:
    """Reads and changes them in a database. Every method raises DatabaseDown; those that take an id, or the beginning
    of one, UnknownLeaving and AmbiguousId."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def voicemails(self, *, box: str = "", unheard: bool = False, limit: int = 100) -> list[Voicemail]:
        """The latest first; of one box, or those that nobody has heard yet."""
        query = select(voicemails, _NAME).outerjoin(calls, calls.c.id == voicemails.c.call_id)
        if box:
            query = query.where(voicemails.c.box == box)
        if unheard:
            query = query.where(voicemails.c.heard_ms.is_(None))
        found = await self._database.rows(query.order_by(voicemails.c.left_ms.desc()).limit(limit))
        return [Voicemail(**row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name for it

    async def voicemail(self, id_or_prefix: str) -> VoicemailRow:
        """The one."""
        row = await self._database.by_id(voicemails, id_or_prefix)
        if row is None:
            raise UnknownLeaving(f"no voicemail {id_or_prefix}; `hotline voicemail` lists them")
        return VoicemailRow(**row._mapping)  # noqa: SLF001

    async def known_voicemails(self, ids: Sequence[str]) -> set[str]:
        """Which of these ids have a row."""
        found = await self._database.rows(select(voicemails.c.id).where(voicemails.c.id.in_(ids)))
        return {row.id for row in found}

    async def voicemails_before(self, at_ms: int, limit: int = 500) -> list[VoicemailRow]:
        """The oldest, left before `at_ms`."""
        query = select(voicemails).where(voicemails.c.left_ms < at_ms).order_by(voicemails.c.left_ms).limit(limit)
        return [VoicemailRow(**row._mapping) for row in await self._database.rows(query)]  # noqa: SLF001

    async def heard(self, id_or_prefix: str, by: str) -> VoicemailRow:
        """Somebody has listened; the first to do so is remembered."""
        row = await self.voicemail(id_or_prefix)
        unheard = (voicemails.c.id == row.id) & voicemails.c.heard_ms.is_(None)
        await self._database.change(update(voicemails).where(unheard).values(heard_ms=_now_ms(), heard_by=by))
        return row

    async def forget_voicemail(self, voicemail_id: str) -> None:
        """Deletes the row of a voicemail whose recording has gone."""
        await self._database.change(delete(voicemails).where(voicemails.c.id == voicemail_id))

    async def callbacks(self, *, queue: str = "", all_: bool = False, limit: int = 100) -> list[Callback]:
        """Who wants to be called, the longest waiting first; `all_` has the closed ones too, the latest first."""
        query = select(callbacks, _NAME).outerjoin(calls, calls.c.id == callbacks.c.call_id)
        query = query if all_ else query.where(_OPEN)
        if queue:
            query = query.where(callbacks.c.queue == queue)
        asked = callbacks.c.asked_ms
        found = await self._database.rows(query.order_by(asked.desc() if all_ else asked).limit(limit))
        return [Callback(**row._mapping) for row in found]  # noqa: SLF001

    async def close_callback(self, id_or_prefix: str, closed: Closed, by: str) -> CallbackRow:
        """They were called, or need not be. Raises ValueError for one that is closed already."""
        row = await self.known_callback(id_or_prefix)
        is_open = (callbacks.c.id == row.id) & _OPEN
        values: dict[str, Any] = {"state": str(closed), "closed_ms": _now_ms(), "closed_by": by}
        if not await self._database.change(update(callbacks).where(is_open).values(values)):
            raise ValueError(f"callback {row.id} is {row.state} already; `hotline callbacks --all` says by whom")
        return replace(row, **values)

    async def known_callback(self, id_or_prefix: str) -> CallbackRow:
        """The one."""
        row = await self._database.by_id(callbacks, id_or_prefix)
        if row is None:
            raise UnknownLeaving(f"no callback {id_or_prefix}; `hotline callbacks` lists them")
        return CallbackRow(**row._mapping)  # noqa: SLF001

    async def callback(self, callback_id: str) -> Callback | None:
        """The one of this id, open or not; None when it is not there, or not yet."""
        query = select(callbacks, _NAME).outerjoin(calls, calls.c.id == callbacks.c.call_id)
        found = await self._database.rows(query.where(callbacks.c.id == callback_id))
        return Callback(**found[0]._mapping) if found else None  # noqa: SLF001

    async def note_callback(self, callback_id: str, values: Mapping[str, int | str | None]) -> bool:
        """Writes how far an open one has got; a closed one stays as it is. False when there is no row of it (yet)."""
        is_it = callbacks.c.id == callback_id
        if await self._database.change(update(callbacks).where(is_it & _OPEN).values(**values)):
            return True
        return bool(await self._database.rows(select(callbacks.c.id).where(is_it)))

    async def satisfaction(self, since_ms: int) -> list[Satisfaction]:
        """What callers have answered since then, by question, queue and agent."""
        who = (survey_answers.c.question, calls.c.queue, calls.c.agent)
        query = (
            select(*who, func.count().label("answers"), func.avg(survey_answers.c.score).label("average"))
            .join(calls, calls.c.id == survey_answers.c.call_id)
            .where(survey_answers.c.answered_ms >= since_ms)
            .group_by(*who)
            .order_by(*who)
        )
        found = await self._database.rows(query)
        return [Satisfaction(r.question, r.queue, r.agent, r.answers, round(float(r.average), 2)) for r in found]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
