"""Agents with programs, queues of items, and the board of one engine between them and a real Redis."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import yaml

from engine.acd import Acd, Device, Intent, Notice
from engine.config import policies
from engine.config import site as sites
from engine.config.site import Site
from engine.items import Board, Item, is_item, new_item, policies_of
from engine.journal.journal import Journal
from engine.orders import StandingOrders
from engine.redis_line import RedisLine
from engine.store.order_rows import HoursOrder, Orders

SMALL = Path(__file__).parents[1] / "unit/small_site"
QUEUES: dict[str, Any] = {
    "mail": {"kind": "email", "require": "english", "ring": "150ms", "wrap_up": "0s", "max_wait": "1h"},
    "urgent": {"kind": "email", "require": "english", "ring": "20s", "wrap_up": "10s", "max_wait": "1h", "capacity": 1},
    "both": {"kind": "email", "require": "english", "ring": "20s", "ring_at_once": 2},
    "members": {"kind": "email", "ring": "20s"},
    "opening": {"kind": "email", "require": "english", "hours": "office", "closing": "eject"},
    "drained": {"kind": "email", "require": "english", "ring": "20s", "hours": "office"},
    "brief": {"kind": "email", "require": "english", "ring": "20s", "max_wait": "200ms"},
}
SOON_S = 5.0


def site(folder: Path) -> Site:
    """The small site, with queues for items. Agents 8002 and 8003 know English."""
    shutil.copytree(SMALL, folder)
    (folder / "dialplan/calendars.yaml").write_text(
        yaml.safe_dump({"calendars": {"office": {"open": {"daily": "24h"}}}})
    )
    file = folder / "dialplan/queues.yaml"
    file.write_text(yaml.safe_dump({"queues": yaml.safe_load(file.read_text())["queues"] | QUEUES}))
    return sites.load(folder)


async def until(so: Callable[[], Any]) -> Any:
    """What it gives, once that is true."""
    async with asyncio.timeout(SOON_S):
        while not (found := so()):  # noqa: ASYNC110 - it is Redis that changes
            await asyncio.sleep(0.01)
    return found


class Office:
    """One engine's life; another one on the same line finds what it left."""

    def __init__(self, line: RedisLine, at: Site) -> None:
        self.line, self.site = line, at
        self.calls: list[Notice] = []
        self.orders = StandingOrders()
        self.acd = Acd(line, engine="main", on_notice=self._noticed)
        self.board = Board(
            self.acd, line, engine="main", note=Journal(line).append, site=lambda: self.site, orders=self.orders
        )

    def _noticed(self, notice: Notice) -> None:
        if is_item(notice.item):
            self.board.noticed(notice)
        else:
            self.calls.append(notice)

    async def open(self) -> None:
        await self.acd.open()
        await self.define()
        await self.board.take_over([item for item in await self.acd.adopt() if is_item(item.id)])

    async def define(self) -> None:
        told = policies.policies(self.site) + policies_of(self.site)
        await self.acd.define(policies.terms(self.site), told)

    async def close(self) -> None:
        await self.board.close()
        await self.acd.close()

    async def ready(self, *agents: str) -> None:
        """At work, with a program that has asked once: it counts as open for a while."""
        for agent in agents:
            await self.acd.agent(agent, intent=Intent.READY, device=Device.IDLE)
            with self.board.presence.watching(agent) as desk:
                await until(partial(getattr, desk, "told_open"))

    async def add(self, queue: str = "mail", **terms: Any) -> Item:
        item = new_item(queue, "email", **terms)
        placement = await self.board.add(item)
        assert not placement.refused
        return item

    async def offered(self, agent: str) -> dict[str, Any]:
        """The first offer that an agent's program sees."""
        desk = self.board.desks.of(agent)
        await until(lambda: desk.offers)
        offers: list[dict[str, Any]] = desk.view()["offers"]
        return offers[0]

    def removes(self, queue: str) -> None:
        """As a reload does."""
        left = {name: settings for name, settings in self.site.queues.items() if name != queue}
        self.site = replace(self.site, queues=left)

    async def closes(self) -> None:
        """The queues with hours do, until further notice."""
        self.orders.replace(Orders(1, [HoursOrder(calendar="office", is_open=False)], (), ()))
        await self.board.hours_changed()

    async def until_work(self, agent: str, work: str) -> None:
        async with asyncio.timeout(SOON_S):
            while (state := await self.acd.look_at(agent)) is None or state.work != work:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)

    async def until_waiting(self, item: Item, queue: str) -> None:
        async with asyncio.timeout(SOON_S):
            while (state := await self.acd.item(item.id)) is None or state.state != "waiting":  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        assert state.queue == queue

    async def events(self, item: Item | str) -> list[dict[str, Any]]:
        """What happened to an item."""
        wanted = item if isinstance(item, str) else item.id
        entries = await self.line.call("XRANGE", "hotline:{default}:journal", "-", "+")
        events = [orjson.loads(fields[1]) for _, fields in entries]
        return [event for event in events if event["call"] == wanted]

    async def story(self, item: Item) -> list[str]:
        return [event["type"] for event in await self.events(item)]
