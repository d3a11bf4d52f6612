"""Redis and the model, side by side: whatever is asked of both, they must answer alike and stand alike afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import orjson
from hypothesis.stateful import RuleBasedStateMachine

from engine.acd import AgentTerms
from engine.redis_line import RedisLine
from tests.acd import inside
from tests.acd.desk import Desk
from tests.acd.model import Model
from tests.acd.population import KNOWN, STAFF
from tests.acd.redis_server import RedisServer

T = TypeVar("T")


class SideBySide(RuleBasedStateMachine):
    """What every history is told with."""

    server: RedisServer
    runner: asyncio.Runner
    model: Model
    interrupting: frozenset[str]
    shares: dict[str, int]

    def __init__(self) -> None:
        super().__init__()
        self.line = RedisLine(self.server.url)
        self.count = 0
        self.past_tokens: list[str] = []
        self.journal_read = "-"
        self.chosen_by: list[str] = []  # by what the agents of the last offers were chosen, as the journal tells it
        self.ends: dict[str, list[str]] = {}  # offers and items, by the journal -> how they ended

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def _open(self) -> None:
        await self.line.open()
        await self.line.call("FLUSHALL")
        # The same chance each time: a history that fails must fail again when it is played again.
        await self.line.call("EVAL", "math.randomseed(1)", 0)
        self.desks = {name: Desk(self.line, name) for name in ("one", "two")}
        await self.desks["one"].acd.load()
        await self._define(STAFF)

    async def _define(self, staff: dict[str, AgentTerms]) -> None:
        known = [terms for _, terms in KNOWN]
        acd = self.desks["one"].acd
        await acd.define(staff, known, interrupting=self.interrupting, shares=self.shares)

    def _passes(self, ms: int) -> None:
        self._clocks(ms)
        while True:
            handled = self.run(self.desks["one"].acd.tick())
            self._happened()
            assert self.model.tick() == handled
            self._same()
            if not handled:
                return

    def _clocks(self, ms: int) -> None:
        self.model.now += ms
        for desk in self.desks.values():
            desk.now_ms += ms

    def _nobody_is_ready_for_what_stands_in_line(self, found: dict[str, Any]) -> None:
        if any(at <= self.model.now for at in self.model.timers.values()):
            return  # what the clock alone has changed, the next tick will see
        _alike(inside.kept_from(found), inside.expected_to_be_kept_from(self.model))
        for item in self.model.items.values():
            for agent in self.model.agents.values() if item.in_line else ():
                able = item.policy.kind in agent.ready and self.model.meets(agent, item.line)
                assert not able or not self.model.fits(item, agent.id), (item, agent)

    def _both(self, asked: Coroutine[Any, Any, bool | int | None], expected: Any) -> None:
        done = self.run(asked)
        self._happened()
        assert done == expected()
        self._same()

    def _happened(self) -> None:
        """Reads the journal on: what Redis offered to whom, for what chance decided; and that every end is one."""
        entries = self.run(self.line.call("XRANGE", inside.JOURNAL, self.journal_read, "+"))
        self.model.told, self.model.drawn, self.model.chosen_by, self.chosen_by = [], [], [], []
        for id_, fields in entries:
            self.journal_read = f"({id_}"
            event = orjson.loads(fields[1])
            match event["type"]:
                case "item.enqueued":
                    self.ends[event["call"]] = []
                case "item.ended":
                    self.ends[event["call"]].append(event["reason"])
                case "offer.created":
                    self.ends[event["token"]] = []
                    self.model.drawn.append(event["agent"])
                    self.chosen_by.append(f"{event.get('by', 'order')}{event.get('prefer', '')}")
                case "offer.accepted" | "offer.missed" | "offer.cancelled":
                    self.ends[event["token"]].append(event["type"])

    def _same(self) -> None:
        """The notices of the last verb, every record and every index."""
        told = sorted(self.model.told)
        found = self.run(inside.look(self.line))
        assert sorted(self._noticed(found)) == told
        assert self.chosen_by == self.model.chosen_by
        agents = {name[6:]: inside.agent_kept(found[name]) for name in found if name.startswith("agent:")}
        _alike(agents, {agent.id: inside.agent_expected(agent) for agent in self.model.agents.values()})
        now = self.model.now
        items = {name[5:]: inside.item_kept(found[name], now) for name in found if name.startswith("item:")}
        _alike(items, {item.id: inside.item_expected(item, now) for item in self.model.items.values()})
        _alike(inside.indexes(found), inside.expected(self.model))
        self._nobody_is_ready_for_what_stands_in_line(found)
        for item in self.model.items.values():
            assert self.ends[item.id] == [], "an item that ended is here"
            for offer in item.offers:
                assert self.ends[offer.token] == (["offer.accepted"] if offer.state == "accepted" else [])

    def _noticed(self, found: dict[str, Any]) -> list[tuple[str, ...]]:
        """Those that came back in replies, and those in the mailboxes, which are emptied."""
        told: list[tuple[str, ...]] = []
        for name, desk in self.desks.items():
            told += [(name, "offer", offer.token, offer.agent) for offer in desk.offers]
            told += [(name, "sooner", free.token, free.agent) for free in desk.sooner]
            told += [(name, "cancelled", gone.token, gone.reason) for gone in desk.cancelled]
            told += [(name, "released", gone.item, gone.reason) for gone in desk.released]
            self.past_tokens += [offer.token for offer in desk.offers]
            for heard in (desk.offers, desk.sooner, desk.cancelled, desk.released):
                heard.clear()
            for letter in found.get(f"mailbox:{name}", []):
                kind, first, *rest = orjson.loads(letter)
                said = {"offer": rest[1:2], "sooner": rest[1:2], "cancelled": rest[-1:], "released": rest[:1]}[kind]
                told.append((name, kind, first, *said))
                self.past_tokens += [first] if kind == "offer" else []
            if f"mailbox:{name}" in found:
                self.run(self.line.call("DEL", f"{inside.PREFIX}mailbox:{name}"))
        return told


def _alike(found: dict[str, Any], expected: dict[str, Any], path: str = "") -> None:
    """Says what differs, and nothing else."""
    differing = []
    for name in sorted(found.keys() | expected.keys()):
        here, there = found.get(name), expected.get(name)
        if here != there and isinstance(here, dict) and isinstance(there, dict):
            _alike(here, there, f"{path}{name} ")
        elif here != there:
            differing.append(f"{path}{name}: Redis has {here}, the model {there}")
    assert not differing, "\n".join(differing)
