"""Several engines on one Redis, engines that die, and a Redis that forgets. Real time, real background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from engine.acd import Acd, AgentTerms, Device, Intent, Missed, Notice, Offer, Work, library
from engine.acd.offer import lua_tables
from engine.redis_line import LineDown, RedisLine
from tests.acd.desk import policy
from tests.acd.redis_server import RedisServer


class Engine:
    def __init__(self, line: RedisLine, name: str) -> None:
        self.offers: asyncio.Queue[Offer] = asyncio.Queue()
        self.acd = Acd(line, engine=name, on_notice=self._noticed)

    def _noticed(self, notice: Notice) -> None:
        if isinstance(notice, Offer):
            self.offers.put_nowait(notice)

    async def offer(self) -> Offer:
        return await asyncio.wait_for(self.offers.get(), 5)

    async def enqueue(self, item: str, *, lease_ms: int = 60_000, wrapup_ms: int = 0) -> Offer | None:
        terms = policy("any", wrapup_ms=wrapup_ms, lease_ms=lease_ms)
        placement = await self.acd.enqueue(item, queue="sales", policy=terms)
        return placement.offer


Hire = Callable[[str], Engine]


@pytest.fixture
async def hire(line: RedisLine) -> AsyncIterator[Hire]:
    engines: list[Engine] = []

    def make(name: str) -> Engine:
        engines.append(Engine(line, name))
        return engines[-1]

    yield make
    for engine in engines:
        await engine.acd.close()


async def _staffed(engine: Engine, *agents: str) -> None:
    await engine.acd.open()
    await engine.acd.define({agent: AgentTerms() for agent in agents}, [policy("any")])
    for agent in agents:
        await engine.acd.agent(agent, intent=Intent.READY, device=Device.IDLE)


async def test_offer_for_another_engines_call_reaches_it_by_mailbox(hire: Hire) -> None:
    one, two = hire("one"), hire("two")
    await _staffed(one, "8001")
    await two.acd.open()
    offer = await one.enqueue("call-1")
    assert offer is not None
    assert await two.enqueue("call-2") is None
    await one.acd.withdraw("call-1", "abandoned_ringing")
    theirs = await two.offer()
    assert (theirs.item, theirs.agent, theirs.attempt) == ("call-2", "8001", 1)
    assert await two.acd.accept(theirs.token) is True
    assert one.offers.empty()


async def test_offer_comes_to_on_offer_even_if_the_asking_task_was_cancelled(hire: Hire) -> None:
    one = hire("one")
    await _staffed(one, "8001", "8002")
    offer = await one.enqueue("call")
    assert offer is not None
    asking = asyncio.create_task(one.acd.miss(offer.token, Missed.REJECTED, ring_ms=0))
    await asyncio.sleep(0)
    asking.cancel()
    assert (await one.offer()).agent == "8002"


async def test_wrap_up_and_lease_end_on_time_in_the_background(hire: Hire) -> None:
    one = hire("one")
    await _staffed(one, "8001")
    offer = await one.enqueue("call-1", wrapup_ms=120)
    assert offer is not None
    await one.acd.accept(offer.token)
    assert await one.enqueue("call-2", lease_ms=150) is None
    loop = asyncio.get_running_loop()
    left = loop.time()
    await one.acd.leave("call-1", reason="completed_by_caller")
    second = await one.offer()
    assert second.item == "call-2"
    assert 0.11 < loop.time() - left < 0.6, "by its deadline, not by the next round second"
    async with asyncio.timeout(5):
        while (await one.acd.agents())[0].work is not Work.IDLE:  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.01)
    assert await one.acd.accept(second.token) is False


async def test_restarted_engine_finds_its_calls_as_they_were(hire: Hire, line: RedisLine) -> None:
    one = hire("one")
    await _staffed(one, "8001", "8002")
    talking, offered = await one.enqueue("talking"), await one.enqueue("offered")
    assert talking is not None
    assert offered is not None
    await one.acd.accept(talking.token)
    await one.acd.ringing(offered.token)
    await one.enqueue("waiting")
    await one.acd.close()
    again = hire("one")
    await again.acd.open()
    items = {item.id: item for item in await again.acd.adopt()}
    assert {id_: (item.state, item.agent, item.token) for id_, item in items.items()} == {
        "talking": ("talking", talking.agent, talking.token),
        "offered": ("offered", offered.agent, offered.token),
        "waiting": ("waiting", "", ""),
    }
    assert await again.acd.position("waiting") == 1
    assert await again.acd.leave("talking", reason="completed_by_caller") is True
    assert (await again.offer()).item == "waiting"


async def test_calls_of_a_dead_engine_are_taken_over_with_their_offers(hire: Hire) -> None:
    one, two = hire("one"), hire("two")
    await _staffed(one, "8001")
    await two.acd.load()
    assert await two.enqueue("call") is not None
    assert await one.acd.adopt("two") != []
    assert await two.acd.adopt() == []
    [item] = await one.acd.adopt()
    await one.acd.miss(item.token, Missed.FAILED, ring_ms=0)
    await one.acd.agent("8001", device=Device.BUSY)
    assert (await one.acd.adopt())[0].state == "waiting"


async def test_engines_of_two_versions_share_one_redis(
    hire: Hire, line: RedisLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = hire("one")
    await _staffed(one, "8001")
    monkeypatch.setattr(library, "lua_tables", lambda: "-- another version\n" + lua_tables())
    library.library.cache_clear()
    two = hire("two")
    await two.acd.open()
    library.library.cache_clear()
    libraries = await line.call("FUNCTION", "LIST", "LIBRARYNAME", "hotline_acd_*")
    assert len(libraries) == 2
    offer = await two.enqueue("call")
    assert offer is not None
    assert await one.acd.accept(offer.token) is True


async def test_library_is_loaded_again_when_redis_forgot_it(hire: Hire, line: RedisLine) -> None:
    one = hire("one")
    await _staffed(one, "8001")
    await line.call("FUNCTION", "FLUSH")
    assert await one.enqueue("call") is not None


async def test_waiting_calls_outlive_a_killed_redis(own_server: RedisServer) -> None:
    line = RedisLine(own_server.url, deadline_s=3.0)
    await line.open()
    one = Engine(line, "one")
    await _staffed(one, "8001")
    await one.enqueue("call-1")
    await one.enqueue("call-2")
    own_server.kill()
    asked = asyncio.create_task(one.acd.position("call-2"))
    own_server.start(append_only=True)
    try:
        assert await asked == 1
    except LineDown:
        assert await one.acd.position("call-2") == 1
    await one.acd.withdraw("call-1", "abandoned_ringing")
    assert (await one.offer()).item == "call-2"
    await one.acd.close()
    await line.close()
