"""The agent for whom a customer is called back: on the line already, or reserved; and what the ACD says meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from engine.acd import Cancelled, Missed, Offer, Released
from engine.call.offer import Answer
from engine.redis_line import LineDown

if TYPE_CHECKING:
    from engine.call.callback_call import CallbackCall

log = structlog.get_logger()
T = TypeVar("T")


class Reserved:
    """Owns the agent's leg until somebody takes it over with `take()`."""

    def __init__(self, call: CallbackCall) -> None:
        self._call = call
        self.next: Offer | None = None  # another agent, whom the ACD has reserved since
        self._agent: Answer | None = None

    def hold(self, agent: Answer) -> None:
        """They have answered, and hear it ring at the customer's."""
        self._agent = agent
        agent.leg.post("POST", "/ring")

    def take(self) -> Answer | None:
        """The agent, to talk with; None when there is none on the line any more."""
        agent, self._agent = self._agent, None
        if agent is not None:
            agent.leg.post("DELETE", "/ring")
        return agent

    def let_go(self) -> None:
        """Ends the agent's leg, if there is one."""
        agent, self._agent = self._agent, None
        if agent is not None:
            agent.leg.drop()

    async def during(self, work: asyncio.Future[T], *, offer: str = "") -> T | None:
        """What comes of `work`; None when it was cut short: nobody wants the callback any more, or the ACD has taken
        back the `offer` of this token. An agent who leaves meanwhile gives the callback back to its place; the customer
        is called all the same, for whoever is next."""
        try:
            while not work.done():
                waits: list[asyncio.Future[Any]] = [work, self._call.notices.arrived()]
                if self._agent is not None:
                    waits.append(self._agent.leg.gone)
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                if not self._wanted(offer):
                    return None
                if self._agent is not None and self._agent.leg.gone.done():
                    await self._agent_left(self._agent)
            return work.result()
        finally:
            if not work.done():
                work.cancel()
                await asyncio.wait([work])

    def _wanted(self, token: str) -> bool:
        while (notice := self._call.notices.take()) is not None:
            match notice:
                case Offer():
                    self.next = notice
                case Cancelled():
                    if self.next is not None and self.next.token == notice.token:
                        self.next = None
                    if self._agent is not None and self._agent.token == notice.token:
                        self.let_go()
                    if token == notice.token:
                        return False
                case Released():
                    self.next = None
                    return False
        return True

    async def _agent_left(self, agent: Answer) -> None:
        self._agent = None
        try:
            await self._call.board.acd.miss(agent.token, Missed.REJECTED, ring_ms=agent.ring_ms)
        except LineDown as fault:  # the offer's lease ends it
            log.warning("callback.redis_away", call=self._call.record.id, error=str(fault))
