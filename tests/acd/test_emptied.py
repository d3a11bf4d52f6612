"""Redis is emptied while people wait and talk: the line is put back in its order, and everybody with whom they were."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import pytest

from engine import rebuilding
from engine.acd import AgentTerms, Device, Empty, Intent, Offer, Policy, Said
from engine.call.phones import Phones
from engine.rebuilding import Rebuilding
from engine.redis_line import LineDown, RedisLine
from engine.store.last_said import LastSaid
from tests.acd.desk import Desk, policy
from tests.acd.lines import until
from tests.acd.redis_server import RedisServer

OPEN = policy("any")
CREW = {agent: AgentTerms(skills={"english": 1}) for agent in ("8001", "8002", "8003")}
READY = {agent: Said(Intent.READY, "by hand") for agent in CREW}
OTHERS_S = 0.3


@dataclass
class Waits:
    """A caller as an engine knows them: since when they wait, on which terms, and with whom they talk, if they do."""

    came_ms: int
    policy: Policy = OPEN
    agent: str = ""


@dataclass
class Engine:
    """One of several: its callers, its view of the phones, and what it does when Redis was emptied."""

    desk: Desk
    said: dict[str, Said] = field(default_factory=lambda: dict(READY))
    callers: dict[str, Waits] = field(default_factory=dict)
    times_emptied: int = 0

    def __post_init__(self) -> None:
        self.phones = Phones(self.desk.acd)
        self.rebuilding = Rebuilding(self.desk.acd, self.phones, (self,), staff=self.staff, said=self.last_said)
        self.desk.on_emptied = self.emptied

    def emptied(self) -> None:
        self.times_emptied += 1
        self.rebuilding.emptied()

    async def staff(self, device: Device = Device.BUSY) -> None:
        await self.desk.acd.define(CREW, [OPEN], said=self.said, device=device)

    async def last_said(self) -> Mapping[str, LastSaid]:
        return {}

    async def arrive(self, item: str, terms: Policy = OPEN) -> None:
        self.callers[item] = Waits(self.desk.now_ms, terms)
        await self.desk.calls(item, terms)

    async def answer(self) -> Offer:
        """Whoever was offered a caller last has answered."""
        offer = self.desk.last
        assert await self.desk.acd.accept(offer.token)
        self.callers[offer.item].agent = offer.agent
        return offer

    async def again(self) -> None:
        for item, caller in sorted(self.callers.items(), key=lambda pair: pair[1].came_ms):
            if await self.desk.acd.item(item) is None:
                waited_ms, hold_ms = self.desk.now_ms - caller.came_ms, 10_000 if caller.agent else 0
                await self.desk.calls(item, caller.policy, waited_ms=waited_ms, hold_ms=hold_ms)
                if caller.agent:
                    assert await self.desk.acd.restore(item, caller.agent, talked_ms=5_000)


class Hotline:
    """Two engines on one Redis, and one clock."""

    def __init__(self, line: RedisLine) -> None:
        self.line = line
        self.one, self.two = Engine(Desk(line, "one")), Engine(Desk(line, "two"))
        self.engines = (self.one, self.two)
        self.idle: set[str] = set()

    async def open(self) -> None:
        await self.one.desk.acd.load()
        for engine in self.engines:
            await engine.staff(Device.DOWN)

    def phones(self, *idle: str) -> None:
        self.idle |= set(idle)
        for engine in self.engines:
            for agent in idle:
                engine.phones.device(agent, "idle")

    def passes(self, ms: int) -> None:
        for engine in self.engines:
            engine.desk.now_ms += ms

    async def ringing(self) -> dict[str, list[str]]:
        """At which agents each caller rings, whoever has been told of it."""
        acd = self.one.desk.acd
        states = [await acd.item(item) for engine in self.engines for item in engine.callers]
        offered = [state for state in states if state and state.state == "offered"]
        return {state.id: [offer.agent for offer in state.offers] for state in offered}

    async def device(self, agent: str, device: Device) -> None:
        state = None
        async with asyncio.timeout(5):
            while state is None or state.device is not device:
                state = await self.one.desk.acd.look_at(agent)

    async def until_rebuilt(self) -> None:
        for engine in self.engines:
            await engine.desk.acd.tick()
        await asyncio.gather(*(self.device(agent, Device.IDLE) for agent in self.idle))


@pytest.fixture
async def hotline(line: RedisLine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hotline]:
    monkeypatch.setattr(rebuilding, "OTHERS_S", OTHERS_S)
    hotline = Hotline(line)
    await hotline.open()
    running = [asyncio.ensure_future(engine.rebuilding.run()) for engine in hotline.engines]
    yield hotline
    for task in running:
        task.cancel()
    await asyncio.wait(running)


async def test_the_line_is_in_the_order_in_which_they_came_whichever_engine_has_them(hotline: Hotline) -> None:
    came_ms = {}
    for number, item in enumerate("abcd"):
        engine = hotline.engines[number % 2]
        await engine.arrive(item)
        came_ms[item] = engine.desk.now_ms
        hotline.passes(1_000)
    hotline.phones("8001")
    await hotline.device("8001", Device.IDLE)
    assert (await hotline.one.answer()).item == "a"
    hotline.passes(60_000)
    await hotline.line.call("FLUSHALL")

    await hotline.until_rebuilt()
    line = await hotline.two.desk.acd.waiting("sales")
    assert [(state.id, state.enqueued_ms) for state in line] == [(item, came_ms[item]) for item in "bcd"]


async def test_nobody_is_offered_anybody_before_every_engine_has_put_its_callers_back(hotline: Hotline) -> None:
    await hotline.one.arrive("first")
    hotline.passes(1_000)
    await hotline.two.arrive("second")
    await hotline.line.call("FLUSHALL")

    hotline.phones("8001")
    await hotline.two.desk.acd.tick()  # it knows of the later caller only
    async with asyncio.timeout(5):
        while await hotline.two.desk.acd.item("second") is None:
            pass
    assert await hotline.ringing() == {}
    await hotline.until_rebuilt()
    assert await hotline.ringing() == {"first": ["8001"]}


async def test_who_talks_is_offered_nobody_and_wraps_up_when_they_have_talked(hotline: Hotline) -> None:
    hotline.phones("8001")
    await hotline.device("8001", Device.IDLE)
    await hotline.one.arrive("talks")
    await hotline.one.answer()
    await hotline.two.arrive("waits")
    await hotline.line.call("FLUSHALL")

    await hotline.until_rebuilt()
    desk = hotline.one.desk
    agent = await desk.agent("8001")
    assert (agent.work, agent.item, agent.hands[0].since_ms) == ("talking", "talks", desk.now_ms - 5_000)
    assert await desk.acd.position("waits") == 1
    await desk.acd.leave("talks", reason="completed_by_caller")
    assert (await desk.agent("8001")).work == "wrapup"
    hotline.passes(10_000)
    await hotline.two.desk.acd.tick()
    assert await hotline.ringing() == {"waits": ["8001"]}


async def test_of_many_nobody_is_matched_twice(hotline: Hotline) -> None:
    hotline.phones(*CREW)
    for agent in CREW:
        await hotline.device(agent, Device.IDLE)
    for number in range(12):
        engine = hotline.engines[number % 2]
        await engine.arrive(f"c{number:02}")
        if number < 2:
            await engine.answer()
        hotline.passes(100)
    await hotline.line.call("FLUSHALL")

    await hotline.until_rebuilt()
    acd = hotline.one.desk.acd
    # c02 rang at the third agent: it is the first of the line again, and so rings there again.
    assert await hotline.ringing() == {"c02": ["8003"]}
    assert [state.id for state in await acd.waiting("sales")] == [f"c{n:02}" for n in range(3, 12)]
    at_hand = {agent.id: [hand.item for hand in agent.hands] for agent in await acd.agents()}
    assert at_hand == {"8001": ["c00"], "8002": ["c01"], "8003": ["c02"]}


async def test_agents_want_what_they_wanted_and_serve_whom_they_served(hotline: Hotline) -> None:
    words = {"8001": Said(Intent.NOT_READY, "lunch"), "8002": Said(Intent.READY, "by hand", {"english": 0})}
    hotline.one.said |= words
    hotline.two.said |= words
    hotline.phones(*CREW)
    await hotline.line.call("FLUSHALL")

    await hotline.until_rebuilt()
    agents = {agent.id: agent for agent in await hotline.two.desk.acd.agents()}
    assert (agents["8001"].intent, agents["8001"].reason) == (Intent.NOT_READY, "lunch")
    assert dict(await hotline.two.desk.acd.skills("8002")) == {"english": 0}
    await hotline.two.arrive("english", policy("english"))
    assert hotline.two.desk.last.agent == "8003"


async def test_an_engine_notices_although_another_one_was_faster_and_is_told_once(hotline: Hotline) -> None:
    await hotline.line.call("FLUSHALL")
    await hotline.one.staff()
    for _ in range(3):
        await hotline.two.desk.acd.tick()
    assert hotline.two.times_emptied == 1


async def test_nothing_new_is_taken_before_the_agents_are_known_again(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    emptied: list[bool] = []
    desk.on_emptied = lambda: emptied.append(True)
    await desk.line.call("FLUSHALL")
    nobody_there = policy("any", leave_when=frozenset({Empty.NO_AGENTS}))
    for _ in range(2):
        with pytest.raises(LineDown, match="being filled"):
            await desk.calls("early", nobody_there)
    assert emptied == [True]
    await desk.acd.define({"8001": AgentTerms()}, [], said={"8001": Said(Intent.READY)}, device=Device.BUSY)
    assert not (await desk.calls("early", nobody_there)).refused


async def test_a_redis_that_is_away_is_asked_now_and_then_and_filled_when_it_is_back(
    own_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "OTHERS_S", 0.0)
    monkeypatch.setattr(rebuilding, "SETTLES_S", 0.05)
    line = RedisLine(own_server.url, deadline_s=0.3)
    await line.open()
    engine = Engine(Desk(line))
    running = asyncio.ensure_future(engine.rebuilding.run())
    try:
        await engine.desk.acd.open()
        await engine.staff(Device.DOWN)
        await engine.arrive("waits")
        tries = 0
        connect = line._finder.connect

        async def counted() -> object:
            nonlocal tries
            tries += 1
            return await connect()

        monkeypatch.setattr(line._finder, "connect", counted)
        own_server.kill()
        engine.emptied()
        await asyncio.sleep(1.5)
        assert 2 <= tries <= 15, "not at all, or without a pause"
        own_server.start()  # without what it had
        engine.phones.device("8001", "idle")
        await until(lambda: ("waits", "8001") in engine.desk.offered())
    finally:
        running.cancel()
        await asyncio.wait([running])
        await engine.desk.acd.close()
        await line.close()
