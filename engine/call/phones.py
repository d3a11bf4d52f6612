"""Agents' phones: keeps the ACD's device axis equal to what Asterisk says of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

import structlog

from engine.acd import Acd, AgentState, Device, UnknownAgent
from engine.asterisk.channel import Channel
from engine.chores import Chores
from engine.redis_line import LineDown, each

log = structlog.get_logger()

# After our own leg has gone, Asterisk's word that the phone is free follows within milliseconds.
SETTLE_S = 0.5
# A phone that did not react to an INVITE gets another chance; qualify may never notice that it was away.
SUSPECT_S = 30.0


class Phones:
    """One device state an agent. A phone that is busy only with our own offer is not told as busy: the ACD
    knows, and two Redis calls a call are saved."""

    def __init__(self, acd: Acd) -> None:
        self._acd = acd
        self._seen: dict[str, Device] = {}
        self._told: dict[str, Device] = {}
        self._outside: frozenset[str] = frozenset()
        self._ours: Counter[str] = Counter()
        self._chores = Chores("phones")

    def device(self, agent: str, state: str) -> None:
        """Asterisk says so."""
        if agent in self._outside:  # the last word of the SIP phone that they had before
            return
        self._seen[agent] = Device(state)
        if not (self._ours[agent] and state == Device.BUSY):
            self._tell(agent)

    def outside(self, agents: Iterable[str]) -> None:
        """These have an outside phone: nobody sees whether it is in use, so it counts as idle. Others have a SIP phone,
        and Asterisk says the rest."""
        self._outside = frozenset(agents)
        for agent in self._outside:
            self._seen[agent] = Device.IDLE
            self._tell(agent)

    def ours(self, agent: str, leg: Channel) -> None:
        """This phone now has a leg of ours."""
        self._ours[agent] += 1
        leg.gone.add_done_callback(lambda _: asyncio.get_running_loop().call_later(SETTLE_S, self._settled, agent))

    def _settled(self, agent: str) -> None:
        self._ours[agent] -= 1
        self._tell(agent)

    def is_idle(self, agent: str) -> bool:
        """As far as we know, nothing but perhaps our own leg keeps it busy."""
        return self._told.get(agent) is Device.IDLE

    def unreachable(self, agent: str) -> None:
        """The phone did not react; the ACD holds it for down, and so do we until it shows itself or some
        time has passed."""
        self._told[agent] = Device.DOWN
        asyncio.get_running_loop().call_later(SUSPECT_S, self._tell, agent)

    def _tell(self, agent: str) -> None:
        seen = self._seen.get(agent)
        if seen is None or self._told.get(agent) is seen:
            return
        if seen is Device.BUSY and self._ours[agent]:
            return
        self._told[agent] = seen
        self._chores.begin(self._say(agent, seen))

    async def again(self, agents: Iterable[AgentState]) -> None:
        """Tells the ACD of every phone that is not as it says. Raises LineDown."""
        await each(agents, self._again)

    async def _again(self, agent: AgentState) -> None:
        device = self._told.get(agent.id)
        if device is None:
            device = self._seen.get(agent.id, Device.DOWN)
            if device is Device.BUSY and self._ours[agent.id]:
                device = Device.IDLE
            self._told[agent.id] = device
        if device is not agent.device:
            with suppress(UnknownAgent):  # removed meanwhile
                await self._acd.agent(agent.id, device=device)

    async def _say(self, agent: str, device: Device) -> None:
        try:
            await self._acd.agent(agent, device=device)
        except (LineDown, UnknownAgent) as error:
            self._told.pop(agent, None)
            log.warning("phone.not_told", agent=agent, device=device, error=str(error))
