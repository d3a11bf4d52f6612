"""The API's part for a supervisor's hand: whoever waits is given to an agent, moved, put before others, taken out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from aiohttp import web
from pydantic import Field

from engine.acd import TO_QUEUE, ItemState
from engine.acd.policy import STRICTEST
from engine.api import found
from engine.api.explained import history, unmet
from engine.api.items import done
from engine.api.wire import Reason, Signed, answer, known, number, read
from engine.call.phase import Phase
from engine.items import is_item

if TYPE_CHECKING:
    from engine.app import Engine

MOST_ROWS = 1000
LONGEST_HEAD_START_S = 7 * 86_400.0

# What stands in an agent's way (Acd.assign), as a sentence about them.
_WHY_NOT = {
    "rings": "is being offered it already",
    "not_ready": "is not ready",
    "logged_out": "is logged out",
    "device_down": "has no phone: it is not registered",
    "no_capacity": "takes nothing of its kind",
    "talking": "is talking",
    "busy": "is busy",
    "wrapup": "is in wrap-up",
    "cooldown": "pauses after a missed offer",
}


class _Assign(Signed):
    agent: str


class _Move(Signed):
    queue: str


class _Priority(Signed):
    head_start_s: Annotated[float, Field(ge=0, le=LONGEST_HEAD_START_S)] = 0.0
    strict: Annotated[int, Field(ge=0, le=STRICTEST)] = 0


class _Withdraw(Signed):
    reason: Reason = "withdrawn"


def supervision_routes(of: Engine) -> Iterable[web.RouteDef]:
    """Where those who wait are looked at and dealt with: calls and items alike."""
    hand = _Hand(of)
    return [
        web.get("/v1/queues/{queue}/waiting", hand.waiting),
        web.post("/v1/items/{id}/assign", hand.assign),
        web.post("/v1/items/{id}/move", hand.move),
        web.post("/v1/items/{id}/priority", hand.priority),
        web.post("/v1/items/{id}/withdraw", hand.withdraw),
        web.get("/v1/explain/{id}", hand.explain),
    ]


class _Hand:
    def __init__(self, of: Engine) -> None:
        self._engine = of

    async def waiting(self, request: web.Request) -> web.Response:
        """`?limit=100`: the line of a queue, the next one first; then those of this engine who are being offered to
        somebody, or are put off."""
        of, queue = self._engine, known("queue", request.match_info["queue"], self._engine.board.site.queues)
        limit = max(round(number(request, "limit", 100, most=MOST_ROWS)), 1)
        line = await of.acd.waiting(queue, 0, limit - 1)
        there = {state.id for state in line}
        others = [c.id for c in of.calls.records() if c.phase is Phase.WAITING and c.queue == queue]
        others += [item.id for item in of.items.items() if item.queue == queue]
        further = [each for each in others if each not in there][: limit - len(line)]
        states = await asyncio.gather(*map(of.acd.item, further))
        shown = [state for state in states if state is not None and state.state in ("offered", "deferred")]
        return answer({"queue": queue, "line": self._rows(line), "others": self._rows(shown)})

    def _rows(self, states: Iterable[ItemState]) -> list[dict[str, Any]]:
        callers = {record.id: f"{record.number or record.presentation} {record.customer_name}".rstrip()
                   for record in self._engine.calls.records()}  # fmt: skip
        board = self._engine.items
        return [
            {
                "id": state.id,
                "type": state.type,
                "state": state.state,
                "agents": [offer.agent for offer in state.offers],
                "offers": state.attempt,
                "since_ms": state.enqueued_ms,
                "about": board.item(state.id).subject if state.id in board else callers.get(state.id, ""),
            }
            for state in states
        ]

    async def assign(self, request: web.Request) -> web.Response:
        """Body: {"agent": "8001", "by": "li"}. Offers it to them now; 409 when they cannot have it."""
        of, item_id = self._engine, found.live(self._engine, request.match_info["id"])
        body = await read(request, _Assign)
        agent = known("agent", body.agent, of.board.site.agents)
        if is_item(item_id) and not of.items.desks.of(agent).is_open:
            raise web.HTTPConflict(text=f"no program of {agent} is open that could show them {item_id}")
        why = await of.acd.assign(item_id, agent, actor=body.by)
        if why in ("gone", "talking"):
            raise self._not_waiting(item_id)
        if why:
            raise web.HTTPConflict(text=f"{agent} {_WHY_NOT.get(why, why.replace('_', ' '))}")
        return answer({"id": item_id, "agent": agent})

    async def move(self, request: web.Request) -> web.Response:
        """Body: {"queue": "service", "by": "li"}. It keeps the time that it has waited."""
        of, item_id = self._engine, found.live(self._engine, request.match_info["id"])
        body = await read(request, _Move)
        queue = known("queue", body.queue, of.board.site.queues)
        if is_item(item_id):
            await done(of.items.move(item_id, queue, by=body.by))
        elif item_id in of.callbacks and item_id not in of.calls:
            await done(of.callbacks.move(item_id, queue, by=body.by))
        elif not await of.acd.release(item_id, "moved", target=TO_QUEUE + queue, actor=body.by):
            raise self._not_waiting(item_id)
        return answer({"id": item_id, "queue": queue})

    async def priority(self, request: web.Request) -> web.Response:
        """Body: {"head_start_s": 300, "strict": 0, "by": "li"}, in place of what it had of its own."""
        item_id, body = found.live(self._engine, request.match_info["id"]), await read(request, _Priority)
        ms = round(body.head_start_s * 1000)
        if not await self._engine.acd.reprioritise(item_id, head_start_ms=ms, strict=body.strict, actor=body.by):
            raise self._not_waiting(item_id)
        return answer({"id": item_id, "head_start_s": body.head_start_s, "strict": body.strict})

    async def withdraw(self, request: web.Request) -> web.Response:
        """Body: {"reason": "sent twice", "by": "li"}. An item ends; a caller goes on where the flow says."""
        of, item_id = self._engine, found.live(self._engine, request.match_info["id"])
        body = await read(request, _Withdraw)
        if is_item(item_id):
            await done(of.items.withdraw(item_id, body.reason, by=body.by))
        elif not await of.acd.release(item_id, body.reason, actor=body.by):
            raise self._not_waiting(item_id)
        return answer({"id": item_id, "reason": body.reason})

    def _not_waiting(self, item_id: str) -> web.HTTPConflict:
        return web.HTTPConflict(text=f"{item_id} waits in no queue now: `hotline explain {item_id}` says where it is")

    async def explain(self, request: web.Request) -> web.Response:
        """A waiting, matched or ended item: what decides about it now, and every offer of it with whoever was
        considered and passed over at that moment."""
        of = self._engine
        item_id, fault = await found.ever(of, request.match_info["id"])
        now = await of.acd.explain(item_id)
        events = [] if fault else await of.database.events(item_id)
        return answer(
            {
                "id": item_id,
                "now": now,
                "unmet": await unmet(now, of.acd, of.board.site) if now else [],
                **history(event.data for event in events),
                "names": {user: agent.name for user, agent in of.board.site.agents.items()},
                "fault": fault,
            }
        )
