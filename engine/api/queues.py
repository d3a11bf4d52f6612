"""The API's part about queues: who waits, and who could answer."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from aiohttp import web

from engine.acd import AgentState, parse
from engine.acd.conditions import CLIENT, Skills
from engine.api.wire import answer
from engine.config.queues import Queue

if TYPE_CHECKING:
    from engine.app import Engine


def queue_routes(of: Engine) -> Iterable[web.RouteDef]:
    """Where queues are looked at."""
    desk = _Desk(of)
    return [web.get("/v1/queues", desk.queues), web.get("/v1/accuracy", desk.accuracy)]


class _Desk:
    def __init__(self, of: Engine) -> None:
        self._engine = of

    async def queues(self, _: web.Request) -> web.Response:
        """Every queue of the site: how many wait, the longest wait, and how many agents could take the next."""
        acd, site = self._engine.acd, self._engine.board.site
        live = {state.queue: asdict(state) for state in await acd.queues()}
        changed = await acd.changed_skills()
        agents = [
            (state, {**site.agents[state.id].abilities, **changed.get(state.id, {})})
            for state in await acd.agents()
            if state.id in site.agents
        ]
        return answer(
            [
                {
                    "queue": name,
                    "kind": queue.kind,
                    "requirement": queue.base,
                    "waiting": live.get(name, {}).get("waiting", 0),
                    "oldest_wait_ms": live.get(name, {}).get("oldest_wait_ms", 0),
                    "ready": sum(_could(queue, state, skills) for state, skills in agents),
                }
                for name, queue in site.queues.items()
            ]
        )

    async def accuracy(self, _: web.Request) -> web.Response:
        """How good the waits were that callers were told, by queue; those queues only where somebody was told one."""
        return answer([asdict(accuracy) for accuracy in await self._engine.acd.accuracy()])


def _could(queue: Queue, state: AgentState, skills: Skills) -> bool:
    """Whether an agent could take the next call of a queue, or the next item."""
    if queue.kind == "voice":
        is_free = state.routable(time.time_ns() // 1_000_000)
    else:
        is_free = queue.kind in state.ready and bool(skills.get(CLIENT))
    return is_free and parse(queue.base).met_by(skills, state.id)
