"""Messages, from a call to the company's endpoint: a real Redis, a real HTTP server that fails in every way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import web

from engine.http.signature import REQUEST_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from engine.journal.events import Event, MessageDelivered, MessageFailed, MessageQueued
from engine.messages import Courier, Endpoint, Outbox, courier, outbox
from engine.messages.outbox import Message
from engine.redis_line import RedisLine
from tests.acd.redis_server import RedisServer
from tests.store.conftest import Until

SECRET = "a secret of the tests"
ZHANG = "+8613800138000"


class Company:
    """The endpoint. `answers`: the statuses to come; 200 when they are used up. `slow`: it never answers."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.slow = False
        self.posts: list[tuple[dict[str, str], dict[str, Any]]] = []

    @property
    def told(self) -> list[str]:
        return [body["text"] for _, body in self.posts]

    async def open(self) -> None:
        app = web.Application()
        app.router.add_post("/messages", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/messages"

    async def close(self) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        timestamp = int(request.headers[TIMESTAMP_HEADER])
        assert request.headers[SIGNATURE_HEADER] == "sha256=" + sign(SECRET.encode(), timestamp, body)
        self.posts.append((dict(request.headers), orjson.loads(body)))
        if self.slow:
            await asyncio.sleep(60)
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@pytest.fixture
async def company() -> AsyncIterator[Company]:
    company = Company()
    await company.open()
    yield company
    await company.close()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "PAUSES_S", (0.02,))
    monkeypatch.setattr(courier, "LEASE_MARGIN_S", 0.2)


class Office:
    """A courier at work, and what it has noted."""

    def __init__(self, line: RedisLine, endpoint: Endpoint | None) -> None:
        self.noted: list[Event] = []
        self.outbox = Outbox(line)
        self.courier = Courier(self.outbox, endpoint, self.noted.append)

    def kinds(self) -> list[type[Event]]:
        return [type(event) for event in self.noted]

    async def delivered(self) -> bool:
        return MessageDelivered in self.kinds()

    async def failed(self) -> bool:
        return MessageFailed in self.kinds()


@asynccontextmanager
async def office(line: RedisLine, company: Company | None, **settings: float) -> AsyncIterator[Office]:
    endpoint = Endpoint(company.url, SECRET, **settings) if company else None
    opened = Office(line, endpoint)
    task = asyncio.create_task(opened.courier.run())
    yield opened
    task.cancel()
    await asyncio.wait({task})


async def test_a_message_reaches_the_endpoint_signed_and_with_its_id(
    line: RedisLine, company: Company, until: Until
) -> None:
    async with office(line, company) as at_work:
        assert await at_work.courier.send("c1", ZHANG, "您的订单已发货", facts={"queue": "sales"})
        await until(at_work.delivered)
        assert await at_work.outbox.waiting(10) == (0, [])
    (headers, body), queued = company.posts[0], at_work.noted[0]
    assert isinstance(queued, MessageQueued)
    assert headers[REQUEST_HEADER] == body["id"] == queued.message
    assert (body["version"], body["event"], body["call_id"]) == (1, "message", "c1")
    assert (body["to"], body["text"], body["queue"]) == (ZHANG, "您的订单已发货", "sales")
    assert str(body["timestamp"]) == headers[TIMESTAMP_HEADER]


@pytest.mark.parametrize("status", [500, 503, 429, 408])
async def test_what_the_endpoint_cannot_take_now_is_tried_again_under_the_same_id(
    line: RedisLine, company: Company, until: Until, status: int
) -> None:
    company.answers = [status, status]
    async with office(line, company) as at_work:
        await at_work.courier.send("c1", ZHANG, "hello")
        await until(at_work.delivered)
    assert len({headers[REQUEST_HEADER] for headers, _ in company.posts}) == 1
    assert company.told == ["hello"] * 3
    assert isinstance(at_work.noted[-1], MessageDelivered)
    assert at_work.noted[-1].tries == 3


@pytest.mark.parametrize("status", [400, 401, 404, 422, 302])
async def test_what_the_endpoint_refuses_is_not_said_again(
    line: RedisLine, company: Company, until: Until, status: int
) -> None:
    company.answers = [status]
    async with office(line, company) as at_work:
        await at_work.courier.send("c1", ZHANG, "hello")
        await until(at_work.failed)
        assert await at_work.outbox.waiting(10) == (0, [])
    assert company.told == ["hello"]
    assert isinstance(at_work.noted[-1], MessageFailed)
    assert at_work.noted[-1].reason == f"HTTP {status}"


async def test_a_dead_endpoint_delays_and_loses_nothing(line: RedisLine, company: Company, until: Until) -> None:
    url = company.url
    await company.close()
    async with office(line, company, deadline_s=0.2) as at_work:
        for number in range(3):
            assert await at_work.courier.send("c1", ZHANG, f"message {number}")

        async def all_tried() -> bool:
            return all(message.tries for message in (await at_work.outbox.waiting(10))[1])

        await until(all_tried)
        count, waiting = await at_work.outbox.waiting(10)
        assert count == 3
        assert all(message.fault for message in waiting)
    await company.open()
    async with office(line, company) as at_work:  # at its new port, by another engine

        async def all_there() -> bool:
            return at_work.kinds().count(MessageDelivered) == 3

        await until(all_there)
    assert company.url != url
    assert sorted(company.told) == ["message 0", "message 1", "message 2"]


async def test_a_silent_endpoint_is_given_up_in_time(line: RedisLine, company: Company, until: Until) -> None:
    company.slow = True
    async with office(line, company, deadline_s=0.05, give_up_after_s=0.2) as at_work:
        await at_work.courier.send("c1", ZHANG, "hello")
        await until(at_work.failed)
    assert isinstance(at_work.noted[-1], MessageFailed)
    assert at_work.noted[-1].reason == "no answer within 0.05 s"


async def test_the_same_message_of_a_call_is_sent_once(line: RedisLine, company: Company, until: Until) -> None:
    async with office(line, company) as at_work:
        for _ in range(2):  # as when a killed engine's successor enters the step again
            assert await at_work.courier.send("c1", ZHANG, "hello")
            await until(at_work.delivered)
        assert await at_work.courier.send("c1", ZHANG, "another")
        assert await at_work.courier.send("c2", ZHANG, "hello")

        async def three() -> bool:
            return len(company.posts) >= 3

        await until(three)
    assert sorted(company.told) == ["another", "hello", "hello"]


async def test_what_a_dead_engine_had_taken_comes_back(line: RedisLine) -> None:
    box = Outbox(line)
    await box.put(Message("m1", "c1", "message", ZHANG, "hello", queued_ms=1_000))
    (taken,) = await box.take(2_000, lease_ms=500, most=10)
    assert await box.take(2_400, lease_ms=500, most=10) == []
    assert await box.take(2_500, lease_ms=500, most=10) == [taken]
    await box.done(taken)
    assert await box.take(9_000, lease_ms=500, most=10) == []
    assert await box.next_due_ms() is None


async def test_a_flood_is_refused_before_redis_is_full(line: RedisLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_WAITING", 2)
    at_work = Office(line, Endpoint("http://127.0.0.1:1/", SECRET))
    sent = [await at_work.courier.send("c1", ZHANG, f"message {number}") for number in range(3)]
    assert sent == [True, True, False]


async def test_without_an_endpoint_nothing_is_accepted(line: RedisLine) -> None:
    at_work = Office(line, None)
    assert not await at_work.courier.send("c1", ZHANG, "hello")
    assert at_work.noted == []


async def test_an_endpoint_that_a_reload_brings_is_used_from_then_on(
    line: RedisLine, company: Company, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "LOOK_EVERY_S", 0.02)
    async with office(line, None) as at_work:
        at_work.courier.endpoint = Endpoint(company.url, SECRET)
        assert await at_work.courier.send("c1", ZHANG, "hello")
        await until(at_work.delivered)
    assert company.told == ["hello"]


async def test_while_redis_is_away_nothing_is_accepted_and_the_call_hears_so(
    line: RedisLine, redis_server: RedisServer
) -> None:
    at_work = Office(line, Endpoint("http://127.0.0.1:1/", SECRET))
    redis_server.stop()
    assert not await at_work.courier.send("c1", ZHANG, "hello")


async def test_a_text_in_a_broken_encoding_and_one_without_end_are_sent_all_the_same(
    line: RedisLine, company: Company, until: Until
) -> None:
    async with office(line, company) as at_work:
        assert await at_work.courier.send("c1", ZHANG, "张\udcff" + "x" * 5_000)
        await until(at_work.delivered)
    assert company.told[0].startswith("张?x")
    assert len(company.told[0]) == courier.LONGEST_TEXT
