"""The API's part about agents: who they are, what they do, and what is changed about it by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from aiohttp import web
from pydantic import Field, StringConstraints

from engine.acd import AgentState, Intent, UnknownAgent, parse
from engine.acd.conditions import CLIENT, MEMBER_OF, Skill, leaves
from engine.api.wire import By, Signed, answer, known, read
from engine.config.queues import Queue

if TYPE_CHECKING:
    from engine.app import Engine

LONGEST_WRAPUP_S = 8 * 3600.0


class _Word(Signed):
    """About an agent: a supervisor's, or their own, so who does not say whose it is names nobody."""

    by: By = ""


class _Intent(_Word):
    intent: Intent
    reason: Annotated[str, StringConstraints(max_length=64)] = ""


class _Queue(_Word):
    queue: str


class _Wrapup(_Word):
    """Either."""

    extend_s: Annotated[float, Field(gt=0, le=LONGEST_WRAPUP_S)] | None = None
    skip: bool = False


def agent_routes(of: Engine) -> Iterable[web.RouteDef]:
    """Where agents are looked at and changed."""
    desk = _Desk(of)
    return [
        web.get("/v1/agents", desk.agents),
        web.post("/v1/agents/{id}/intent", desk.intent),
        web.post("/v1/agents/{id}/join", desk.join),
        web.post("/v1/agents/{id}/leave", desk.leave),
        web.post("/v1/agents/{id}/wrapup", desk.wrapup),
    ]


class _Desk:
    def __init__(self, of: Engine) -> None:
        self._engine = of

    async def agents(self, _: web.Request) -> web.Response:
        """Everybody: three axes, what is at hand, which queues they serve."""
        changed = await self._engine.acd.changed_skills()
        return answer([self._row(state, changed.get(state.id, {})) for state in await self._engine.acd.agents()])

    def _row(self, state: AgentState, changed: Mapping[str, int]) -> dict[str, Any]:
        agent = self._engine.board.site.agents.get(state.id)
        skills = {**(agent.abilities if agent else {}), **changed}
        return {
            **asdict(state),
            "hands": [asdict(hand) | {"item": hand.item} for hand in state.hands],
            "work": state.work,
            "item": state.item,
            "wrapup_until_ms": state.wrapup_until_ms,
            "name": agent.name if agent else "",
            "skills": {n: level for n, level in skills.items() if n != CLIENT and not n.startswith(MEMBER_OF)},
            "queues": [n.removeprefix(MEMBER_OF) for n, level in skills.items() if n.startswith(MEMBER_OF) and level],
            "program": bool(skills.get(CLIENT)),
        }

    async def intent(self, request: web.Request) -> web.Response:
        """Body: {"intent": "ready" | "not_ready" | "logged_out", "reason": "lunch", "by": "li"}."""
        agent, body = self._agent(request), await read(request, _Intent)
        try:
            await self._engine.acd.agent(agent, intent=body.intent, reason=body.reason or "by hand", actor=body.by)
        except UnknownAgent as error:
            raise web.HTTPNotFound(text=f"no agent {agent}; `hotline agents` lists them") from error
        return answer({"agent": agent, "intent": body.intent, "reason": body.reason})

    async def join(self, request: web.Request) -> web.Response:
        """Body: {"queue": "sales", "by": "li"}. From now on, until they leave."""
        agent, queue, by = await self._agent_and_queue(request)
        written = self._engine.board.site.agents[agent].queues
        await self._engine.acd.skill(agent, MEMBER_OF + queue, None if queue in written else 1, actor=by)
        return answer({"agent": agent, "queue": queue, "serves": True})

    async def leave(self, request: web.Request) -> web.Response:
        """Body: {"queue": "sales", "by": "li"}. What they have at hand they finish."""
        agent, queue, by = await self._agent_and_queue(request)
        written = self._engine.board.site.agents[agent].queues
        await self._engine.acd.skill(agent, MEMBER_OF + queue, 0 if queue in written else None, actor=by)
        return answer({"agent": agent, "queue": queue, "serves": False})

    async def wrapup(self, request: web.Request) -> web.Response:
        """Body: {"extend_s": 60, "by": "li"} longer than it is now, or {"skip": true}."""
        agent, body = self._agent(request), await read(request, _Wrapup)
        if (body.extend_s is None) != body.skip:
            raise web.HTTPUnprocessableEntity(text='send either {"extend_s": seconds} or {"skip": true}')
        longer_ms = 0 if body.extend_s is None else max(round(body.extend_s * 1000), 1)
        left_ms = await self._engine.acd.wrapup(agent, longer_ms, actor=body.by)
        if left_ms is None:
            raise web.HTTPConflict(text=f"{agent} wraps nothing up now")
        return answer({"agent": agent, "left_ms": left_ms})

    def _agent(self, request: web.Request) -> str:
        return known("agent", request.match_info["id"], self._engine.board.site.agents)

    async def _agent_and_queue(self, request: web.Request) -> tuple[str, str, str]:
        """And whose word it is."""
        agent, queues = self._agent(request), self._engine.board.site.queues
        body = await read(request, _Queue)
        queue = known("queue", body.queue, queues)
        if not _has_members(queue, queues[queue]):
            raise web.HTTPConflict(
                text=f"whoever meets `{queues[queue].base}` serves {queue}: nobody joins or leaves it; without a "
                f"`require` in dialplan/queues.yaml, or with `queue:{queue}` in it, they could"
            )
        return agent, queue, body.by


def _has_members(name: str, queue: Queue) -> bool:
    """Whether its requirement asks for its members anywhere."""
    conditions = leaves(parse(queue.base).root)
    return any(isinstance(leaf, Skill) and leaf.name == MEMBER_OF + name for leaf in conditions)
