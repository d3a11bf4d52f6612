"""The API's part for programs that bring items, and for the programs of the agents who take them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import orjson
from aiohttp import WSMsgType, web
from pydantic import Field, StringConstraints, field_validator

from engine.acd import ItemState
from engine.api import found
from engine.api.wire import Reason, Signed, answer, known, number, read
from engine.call.callbacks import NotMoved
from engine.config.names import Name
from engine.items import Board, Item, NotThere, NotThisItem, TooLarge, TooMany, new_item
from engine.store.item_history import ended_items

if TYPE_CHECKING:
    from engine.app import Engine

T = TypeVar("T")

MOST_ROWS = 1000
LONGEST_WAIT_S = 60.0
LONGEST_DEFERRED_S = 30 * 86_400.0


class _NewItem(Signed):
    """`data`: any JSON, for whoever takes it."""

    queue: str
    type: Name
    subject: Annotated[str, StringConstraints(max_length=200)] = ""
    data: Any = None

    @field_validator("type")
    @classmethod
    def _no_call(cls, type_: str) -> str:
        if type_ in ("call", "callback"):
            raise ValueError("calls come by telephone")
        return type_


class _Deferred(Signed):
    for_s: Annotated[float, Field(gt=0, le=LONGEST_DEFERRED_S)]
    reason: Reason = "later"


def item_routes(of: Engine) -> Iterable[web.RouteDef]:
    """Where items are brought, looked at, offered, taken and ended."""
    desk = _Desk(of)
    return [
        web.get("/v1/items", desk.items),
        web.post("/v1/items", desk.add),
        web.get("/v1/items/{id}", desk.item),
        web.delete("/v1/items/{id}", desk.delete),
        web.post("/v1/items/{id}/complete", desk.complete),
        web.post("/v1/items/{id}/defer", desk.defer),
        web.get("/v1/agents/{id}/offers", desk.offers),
        web.get("/v1/agents/{id}/offers/stream", desk.stream),
        web.post("/v1/offers/{token}/accept", desk.accept),
        web.post("/v1/offers/{token}/reject", desk.reject),
    ]


class _Desk:
    def __init__(self, of: Engine) -> None:
        self._engine = of

    @property
    def _board(self) -> Board:
        return self._engine.items

    # For whoever brings them.

    async def items(self, request: web.Request) -> web.Response:
        """`?queue=mail&limit=100&ended=20`: those that go on, the first added first; of the last `ended`, those that
        are over."""
        queue, limit = request.query.get("queue", ""), round(number(request, "limit", 100, most=MOST_ROWS))
        if queue:
            known("queue", queue, self._engine.board.site.queues)
        all_ = [item for item in self._board.items() if queue in ("", item.queue)]
        ended = round(number(request, "ended", 0, most=MOST_ROWS))
        return answer(
            {
                "items": await self._rows(all_[:limit]),
                "count": len(all_),
                "ended": [asdict(item) for item in await ended_items(self._engine.database, ended)] if ended else [],
            }
        )

    async def _rows(self, items: Sequence[Item]) -> list[dict[str, Any]]:
        states = await asyncio.gather(*(self._engine.acd.item(item.id) for item in items))
        return [_row(item, state) for item, state in zip(items, states, strict=True)]

    async def add(self, request: web.Request) -> web.Response:
        """Body: {"queue": "mail", "type": "email", "subject": "…", "data": …, "by": "crm"}. 201 with its id; 409 when
        the queue takes none, 413 for too much data, 429 when there are too many."""
        body = await read(request, _NewItem)
        queue = known("queue", body.queue, self._engine.board.site.queues)
        try:
            item = new_item(queue, body.type, subject=body.subject, data=body.data, by=body.by)
            placement = await self._board.add(item)
        except TooLarge as error:
            raise web.HTTPRequestEntityTooLarge(1, 1, text=str(error)) from None
        except TooMany as error:
            raise web.HTTPTooManyRequests(text=str(error)) from None
        if placement.refused:
            raise web.HTTPConflict(text=f"the queue {queue} takes nothing now: {placement.refused.replace('_', ' ')}")
        return answer(item.fields() | {"position": placement.position}, status=201)

    async def item(self, request: web.Request) -> web.Response:
        """One, going on or ended, and everything that happened to it."""
        item_id, fault = await found.ever(self._engine, request.match_info["id"])
        going_on = [self._board.item(item_id)] if item_id in self._board else []
        events = [] if fault else await self._engine.database.events(item_id)
        if not going_on and not any(event.type == "item.added" for event in events):
            raise web.HTTPNotFound(text=f"{item_id} is a call: `hotline call {item_id}`")
        names = {user: agent.name for user, agent in self._engine.board.site.agents.items()}
        return answer(
            {
                "item": (await self._rows(going_on))[0] if going_on else None,
                "id": item_id,
                "events": [{**event.data, "id": event.id} for event in events],
                "names": names,
                "fault": fault,
            }
        )

    async def delete(self, request: web.Request) -> web.Response:
        """Nobody needs to take it any more; `?by=crm`."""
        item_id = found.live(self._engine, request.match_info["id"])
        await done(self._board.withdraw(item_id, "withdrawn", by=request.query.get("by", "supervisor")[:64]))
        return answer({"id": item_id})

    # For the agents' programs.

    async def offers(self, request: web.Request) -> web.Response:
        """`?wait=30&after=VERSION`: at once, or as soon as it is another version than the one that is known already."""
        agent = self._agent(request)
        wait_s = number(request, "wait", 0.0, most=LONGEST_WAIT_S)
        with self._board.presence.watching(agent) as desk:
            # Whoever names no version has seen no offer yet.
            unseen = -1 if desk.offers else desk.version
            await desk.news(round(number(request, "after", unseen, most=2**53)), wait_s)
            self._board.shown(desk)
            return answer(desk.view())

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        """The same over a WebSocket: all of it at once, and again after every change."""
        agent = self._agent(request)
        socket = web.WebSocketResponse(heartbeat=10)
        await socket.prepare(request)
        closed = asyncio.ensure_future(_until_closed(socket))
        try:
            with self._board.presence.watching(agent) as desk:
                while not closed.done():
                    seen = desk.version
                    self._board.shown(desk)
                    await socket.send_str(orjson.dumps(desk.view()).decode())
                    news = asyncio.ensure_future(desk.news(seen, LONGEST_WAIT_S))
                    await asyncio.wait({closed, news}, return_when=asyncio.FIRST_COMPLETED)
                    news.cancel()
        except ConnectionResetError:
            pass  # it is gone
        finally:
            closed.cancel()
        return socket

    async def accept(self, request: web.Request) -> web.Response:
        """The item is theirs until they complete or defer it; 409 when the offer is over."""
        return answer((await done(self._board.accept(request.match_info["token"]))).fields())

    async def reject(self, request: web.Request) -> web.Response:
        """It is offered to somebody else."""
        await done(self._board.reject(request.match_info["token"]))
        return answer({"token": request.match_info["token"]})

    async def complete(self, request: web.Request) -> web.Response:
        """It is done; its agent wraps up."""
        item_id = found.live(self._engine, request.match_info["id"])
        await done(self._board.complete(item_id))
        return answer({"id": item_id})

    async def defer(self, request: web.Request) -> web.Response:
        """Body: {"for_s": 3600, "reason": "customer answers tomorrow", "by": "8001"}."""
        item_id = found.live(self._engine, request.match_info["id"])
        body = await read(request, _Deferred)
        await done(self._board.defer(item_id, round(body.for_s * 1000), body.reason))
        return answer({"id": item_id})

    def _agent(self, request: web.Request) -> str:
        return known("agent", request.match_info["id"], self._engine.board.site.agents)


def _row(item: Item, state: ItemState | None) -> dict[str, Any]:
    """`state`: moving, for the moment in which it is in no queue."""
    there = {"state": state.state, "agent": state.agent, "offers": state.attempt} if state else {}
    return {"state": "moving", "agent": "", "offers": 0, **item.fields(), **there}


async def _until_closed(socket: web.WebSocketResponse) -> None:
    """Reads, so that pings are answered and an end is seen; what a program says here means nothing."""
    with suppress(ConnectionResetError):
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                return


async def done(asked: Awaitable[T]) -> T:
    """What the board did, or 404, or 409 with why it did not."""
    try:
        return await asked
    except NotThere as error:
        raise web.HTTPNotFound(text=str(error)) from None
    except (NotThisItem, NotMoved) as error:
        raise web.HTTPConflict(text=str(error)) from None
