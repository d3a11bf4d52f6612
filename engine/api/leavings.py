"""The API's part for those who deal with what callers leave behind: voicemails, callbacks, surveys, messages."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from aiohttp import web

from engine.callbacks import item_of
from engine.http.signature import now_ms
from engine.journal.events import CallbackClosed
from engine.store.leavings import Leavings, UnknownLeaving
from engine.store.left_behind import CallbackRow, Closed
from engine.store.rows import EventRow

if TYPE_CHECKING:
    from engine.app import Engine

T = TypeVar("T")

MOST_ROWS = 1000
DAY_MS, MOST_DAYS = 86_400_000, 36_500
LONGEST_BY = 64
# What is still told of a callback that is closed.
STORY_ENDS_MS = 5_000


def leaving_routes(of: Engine) -> Iterable[web.RouteDef]:
    """Where it is listed, and dealt with."""
    desk = _Desk(of)
    return [
        web.get("/v1/voicemails", desk.voicemails),
        web.get("/v1/voicemails/{id}", desk.voicemail),
        web.post("/v1/voicemails/{id}/heard", desk.heard),
        web.post("/v1/voicemails/{id}/delete", desk.delete),
        web.get("/v1/callbacks", desk.callbacks),
        web.get("/v1/callbacks/{id}", desk.callback),
        web.post("/v1/callbacks/{id}", desk.close),
        web.get("/v1/surveys", desk.surveys),
        web.get("/v1/messages", desk.messages),
    ]


class _Desk:
    def __init__(self, of: Engine) -> None:
        self._engine = of

    @property
    def _leavings(self) -> Leavings:
        return Leavings(self._engine.database)

    async def voicemails(self, request: web.Request) -> web.Response:
        """`?box=night&unheard=1&limit=100`: the latest first."""
        query = request.query
        rows = await self._leavings.voicemails(
            box=query.get("box", ""), unheard="unheard" in query, limit=_limit(request)
        )
        return _json([asdict(row) | {"file": self._file(row.box, row.id)} for row in rows])

    async def voicemail(self, request: web.Request) -> web.Response:
        """One, and where its recording is."""
        row = await _known(self._leavings.voicemail(request.match_info["id"]))
        return _json(asdict(row) | {"file": self._file(row.box, row.id)})

    async def heard(self, request: web.Request) -> web.Response:
        """Body: {"by": "8001"}."""
        row = await _known(self._engine.mailboxes.heard(request.match_info["id"], await _by(request)))
        return _json({"id": row.id})

    async def delete(self, request: web.Request) -> web.Response:
        """Body: {"by": "8001"}."""
        row = await _known(self._engine.mailboxes.delete(request.match_info["id"], await _by(request)))
        return _json({"id": row.id})

    def _file(self, box: str, voicemail_id: str) -> str:
        return str(self._engine.mailboxes.file(box, voicemail_id))

    async def callbacks(self, request: web.Request) -> web.Response:
        """`?queue=sales&all=1&limit=100`: the longest waiting first."""
        query = request.query
        rows = await self._leavings.callbacks(queue=query.get("queue", ""), all_="all" in query, limit=_limit(request))
        return _json([asdict(row) for row in rows])

    async def callback(self, request: web.Request) -> web.Response:
        """One, and what became of it: the events of its item since it was asked for."""
        row = await _known(self._leavings.known_callback(request.match_info["id"]))
        told = [{**event.data, "id": event.id} for event in await self._events(row)]
        names = {user: agent.name for user, agent in self._engine.board.site.agents.items()}
        return _json(asdict(row) | {"events": told, "names": names})

    async def _events(self, row: CallbackRow) -> list[EventRow]:
        """In the queue that it is in, and before that in those that it was moved from."""
        queues = {row.queue}
        while True:
            events = await self._engine.database.events(*(item_of(queue, row.number) for queue in queues))
            told = [event for event in events if row.asked_ms <= event.at_ms <= _until(row)]
            more = {event.data["came_from"] for event in told if event.type == "callback.moved"} - queues
            if not more:
                return told
            queues |= more

    async def close(self, request: web.Request) -> web.Response:
        """Body: {"state": "done" | "cancelled", "by": "8001"}."""
        body = await _body(request)
        try:
            state = Closed(body.get("state", ""))
        except ValueError:
            raise ValueError(f'send {{"state": one of {", ".join(Closed)}, "by": text}}') from None
        by = str(body.get("by", ""))[:LONGEST_BY]
        row = await _known(self._leavings.close_callback(request.match_info["id"], state, by))
        self._engine.journal.append(CallbackClosed(row.call_id, now_ms(), callback=row.id, state=state, by=by))
        self._engine.callbacks.closed_by_hand(item_of(row.queue, row.number), state, by)
        return _json(asdict(row))

    async def surveys(self, request: web.Request) -> web.Response:
        """`?days=30`: what callers have answered since."""
        days = min(float(request.query.get("days", "30")), MOST_DAYS)
        rows = await self._leavings.satisfaction(now_ms() - round(days * DAY_MS))
        return _json([asdict(row) for row in rows])

    async def messages(self, request: web.Request) -> web.Response:
        """`?limit=100`: those that no endpoint has taken yet, the next to be tried first."""
        count, first = await self._engine.outbox.waiting(_limit(request))
        endpoint = self._engine.board.site.hotline.messages
        return _json(
            {"endpoint": endpoint.url if endpoint else "", "waiting": count, "first": [asdict(m) for m in first]}
        )


def _until(row: CallbackRow) -> float:
    """The same number may ask the same queue again, another day."""
    return float("inf") if row.closed_ms is None else row.closed_ms + STORY_ENDS_MS


async def _known(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except UnknownLeaving as error:
        raise web.HTTPNotFound(text=str(error)) from error


async def _by(request: web.Request) -> str:
    return str((await _body(request)).get("by", ""))[:LONGEST_BY]


async def _body(request: web.Request) -> dict[str, Any]:
    body = orjson.loads(await request.read() or b"{}")
    if not isinstance(body, dict):
        raise ValueError("the body is a JSON object")  # noqa: TRY004 - whoever asks has asked wrongly
    return body


def _limit(request: web.Request) -> int:
    return min(max(int(request.query.get("limit", "100")), 1), MOST_ROWS)


def _json(data: Any) -> web.Response:
    return web.Response(body=orjson.dumps(data), content_type="application/json")
