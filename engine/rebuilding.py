"""Redis has lost something: everything, when it was emptied, or its last moments, in a failover.

What is not in Redis any more is known to somebody else: the calls and items to their engines, what agents want to the
database, their phones to Asterisk. After an emptying nobody is matched before the line stands again in its order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import structlog

from engine.acd import Acd, AgentState, Intent
from engine.call.phones import Phones
from engine.redis_line import LineDown, each
from engine.store.last_said import LastSaid

log = structlog.get_logger()

# Every engine notices within a second that Redis was emptied, and puts its own callers back before anybody is rung.
OTHERS_S = 1.5
# After a reconnection: what was under way when the line broke is repeated by whoever asked for it, or given up.
SETTLES_S = 1.0
AGAIN_S = 0.5


class Room(Protocol):
    """Whoever has items in the ACD."""

    async def again(self) -> None:
        """Puts back what Redis has lost of them, who came first first. Raises LineDown."""


class Rebuilding:
    """One at a time. `staff` defines the agents, of whom nobody is offered anything yet, where Redis does not know
    them; `said` is what the database knows of them. Both raise LineDown."""

    def __init__(
        self,
        acd: Acd,
        phones: Phones,
        rooms: Sequence[Room],
        *,
        staff: Callable[[], Awaitable[None]],
        said: Callable[[], Awaitable[Mapping[str, LastSaid]]],
    ) -> None:
        self._acd, self._phones, self._rooms = acd, phones, rooms
        self._staff, self._said = staff, said
        self._emptied = False
        self._wake = asyncio.Event()

    def emptied(self) -> None:
        """Redis knows nothing any more (Acd's on_emptied)."""
        self._emptied = True
        self._wake.set()

    def back(self) -> None:
        """Redis is there again, perhaps another one (RedisLine's on_back)."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                if not self._emptied:
                    await asyncio.sleep(SETTLES_S)
                await (self._fill() if self._emptied else self._compare())
            except LineDown as fault:
                log.warning("redis.not_rebuilt", error=str(fault), remedy="we try again")
                await self._soon_again()
            except Exception:  # nothing else would fill it
                log.exception("redis.not_rebuilt")
                await self._soon_again()

    async def _soon_again(self) -> None:
        await asyncio.sleep(AGAIN_S)
        self._wake.set()

    async def _fill(self) -> None:
        log.info("redis.rebuilding")
        self._emptied = False  # should it be emptied meanwhile, that is another time
        try:
            await self._staff()
            for room in self._rooms:
                await room.again()
            await asyncio.sleep(OTHERS_S)
            await self._phones.again(await self._acd.agents())
        except BaseException:
            self._emptied = True
            raise
        log.info("redis.rebuilt")

    async def _compare(self) -> None:
        for room in self._rooms:
            await room.again()
        agents = await self._acd.agents()
        said = await self._said()
        await each(agents, lambda agent: self._say_again(agent, said.get(agent.id)))
        await self._phones.again(agents)

    async def _say_again(self, agent: AgentState, said: LastSaid | None) -> None:
        """What the database has from a moment that Redis does not remember."""
        if said is None or said.since_ms <= agent.since_ms:
            return
        await self._acd.agent(agent.id, intent=Intent(said.intent), reason=said.reason)
        log.warning("agent.said_again", agent=agent.id, intent=said.intent, reason=said.reason)
