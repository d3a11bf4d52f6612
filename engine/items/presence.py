"""Whose program is open: only they are offered items, so that nobody with nothing but a phone misses what they cannot
even see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from engine.acd import Acd, UnknownAgent
from engine.acd.conditions import CLIENT
from engine.items.desk import SILENT_S, Desk, Desks
from engine.redis_line import surely


class Presence:
    """Keeps the skill `client.open` in step with who watches. It outlives the engine as every skill does: whoever had
    it when an engine died keeps it for as long as a silent program would."""

    def __init__(self, acd: Acd, desks: Desks, spawn: Callable[[Coroutine[Any, Any, None]], Any]) -> None:
        self._acd, self._desks, self._spawn = acd, desks, spawn

    async def take_over(self) -> None:
        """Whose program an engine before this one has known to be open."""
        for agent, skills in (await surely(self._acd.changed_skills)).items():
            if skills.get(CLIENT):
                desk = self._desks.of(agent)
                desk.is_open = desk.told_open = True
                self._wait_for_silence(agent, desk)

    async def again(self) -> None:
        """Tells the ACD of every program that is not as it says. Raises LineDown."""
        known = await self._acd.changed_skills()
        for agent, desk in self._desks.all():
            desk.told_open = bool(known.get(agent, {}).get(CLIENT))
            self._say(agent, desk, is_open=desk.is_open)

    @contextmanager
    def watching(self, agent: str) -> Iterator[Desk]:
        """A program of the agent's is there for as long as this lasts, and a while longer."""
        desk = self._desks.of(agent)
        desk.watching += 1
        if desk.silence is not None:
            desk.silence.cancel()
        self._say(agent, desk, is_open=True)
        try:
            yield desk
        finally:
            desk.watching -= 1
            self._wait_for_silence(agent, desk)

    def _wait_for_silence(self, agent: str, desk: Desk) -> None:
        if not desk.watching:
            loop = asyncio.get_running_loop()
            desk.silence = loop.call_later(SILENT_S, lambda: self._say(agent, desk, is_open=False))

    def _say(self, agent: str, desk: Desk, *, is_open: bool) -> None:
        desk.is_open = is_open
        if desk.told_open != is_open and not desk.telling:
            desk.telling = True
            self._spawn(self._tell(agent, desk))

    async def _tell(self, agent: str, desk: Desk) -> None:
        """One task a desk, so that what is said last is what the ACD knows."""
        try:
            while desk.told_open != desk.is_open:
                wanted = desk.is_open
                try:
                    await surely(partial(self._acd.skill, agent, CLIENT, 1 if wanted else None))
                    desk.told_open = wanted
                except UnknownAgent:  # removed by a reload
                    return
        finally:
            desk.telling = False
