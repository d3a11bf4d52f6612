"""The engine's API, version 1, on a Unix socket in the state folder: whoever may open the file may ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

import engine
from engine.api.agents import agent_routes
from engine.api.items import item_routes
from engine.api.leavings import leaving_routes
from engine.api.orders import order_routes
from engine.api.queues import queue_routes
from engine.api.supervision import supervision_routes
from engine.api.wire import answer
from engine.config.source import SiteError
from engine.journal.events import encode
from engine.journal.tail import Tail
from engine.redis_line import LineDown
from engine.store.database import AmbiguousId, DatabaseDown

if TYPE_CHECKING:
    from engine.app import Engine

MOST_CALLS = 1000


class Api:
    """Puts its parts together; what a hotline does and did is its own."""

    def __init__(self, of: Engine) -> None:
        self._engine = of
        self._runner: web.AppRunner | None = None

    async def open(self, socket: Path) -> None:
        """Listens. A socket left by a predecessor that was killed is replaced."""
        app = web.Application(middlewares=[_faults])
        app.add_routes(
            [
                web.get("/v1/status", self._status),
                web.get("/v1/calls", self._calls),
                web.get("/v1/calls/{id}", self._call),
                web.post("/v1/reload", self._reload),
                web.get("/v1/events", self._events),
                *queue_routes(self._engine),
                *agent_routes(self._engine),
                *supervision_routes(self._engine),
                *item_routes(self._engine),
                *order_routes(self._engine),
                *leaving_routes(self._engine),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self._runner.setup()
        socket.unlink(missing_ok=True)  # noqa: ASYNC240 - one system call, before anybody is served
        await web.UnixSite(self._runner, str(socket)).start()
        socket.chmod(0o600)  # noqa: ASYNC240

    async def close(self) -> None:
        """Stops listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _status(self, _: web.Request) -> web.Response:
        of = self._engine
        return answer(
            {
                "ready": of.ready,
                "version": engine.VERSION,
                "config_version": of.board.site.version,
                "config_since_ms": of.reloading.since_ms,
                "calls_on_former_versions": sum(
                    record.config_version != of.board.site.version for record in of.calls.records()
                ),
                "numbers": list(of.board.site.hotline.numbers),
                "asterisk": {
                    "connected": of.node.ari.up.is_set(),
                    "version": of.node.version,
                    "rest_over_websocket": of.node.ari.rest_over_websocket,
                },
                "orders_fault": of.orders.fault,
                "calls": len(of.calls),
                "loop_lag_ms_p50": of.lag.percentile_ms(0.5),
                "loop_lag_ms_p99": of.lag.percentile_ms(0.99),
            }
        )

    async def _calls(self, request: web.Request) -> web.Response:
        limit = min(int(request.query.get("limit", "20")), MOST_CALLS)
        ended = await self._engine.database.recent_calls(limit)
        return answer(
            {
                "active": [asdict(record) for record in self._engine.calls.records()],
                "ended": [asdict(row) for row in ended],
            }
        )

    async def _call(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        database = self._engine.database
        active = [r for r in self._engine.calls.records() if r.id.startswith(wanted)]
        row = await database.call(wanted)
        if len(active) + (row is not None) > 1:
            raise AmbiguousId(f"several calls begin with {wanted}; type more of the id")
        if not active and row is None:
            raise web.HTTPNotFound(text=f"no call {wanted}; `hotline calls` lists them")
        call_id = active[0].id if active else row.id  # type: ignore[union-attr]  # one of the two is there
        events = await database.events(call_id)
        return answer(
            {
                "call": asdict(active[0]) if active else asdict(row),  # type: ignore[arg-type]
                "active": bool(active),
                "events": [{**event.data, "id": event.id} for event in events],
                "names": self._names(),
            }
        )

    async def _reload(self, _: web.Request) -> web.Response:
        """422 with every fault when the site's folder cannot be used; then nothing has changed."""
        try:
            return answer((await self._engine.reloading.reload()).data())
        except SiteError as faulty:
            raise web.HTTPUnprocessableEntity(text="\n".join(map(str, faulty.faults))) from faulty

    async def _events(self, request: web.Request) -> web.WebSocketResponse:
        """Every event as it happens; `?after=ID` goes on from one that was seen."""
        socket = web.WebSocketResponse(heartbeat=10)
        await socket.prepare(request)
        async with Tail(self._engine.line.url, after=request.query.get("after")) as tail:
            async for tailed in tail:
                if socket.closed:
                    break
                await socket.send_str(encode(tailed.event).decode())
        return socket

    def _names(self) -> dict[str, str]:
        return {user: agent.name for user, agent in self._engine.board.site.agents.items()}


@web.middleware
async def _faults(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except AmbiguousId as error:
        raise web.HTTPConflict(text=str(error)) from error
    except (DatabaseDown, LineDown) as error:
        raise web.HTTPServiceUnavailable(text=str(error)) from error
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
