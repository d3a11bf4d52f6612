"""The `http` step against a real server on loopback: each way it may end."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from engine.flow.steps import read_step
from engine.http.self_service import Answered, Outcome, Question, SelfService
from examples.identity_server.server import create_app
from tests.unit.flow.asking import SECRET, answering, ask, asking_at, ended, server
from tests.unit.flow.scripted import PROJECT, ScriptedLeg, visit_of
from tests.unit.nobody import services_of

CUSTOMERS = PROJECT / "examples/identity_server/customers.yaml"


async def test_what_is_saved_is_a_variable() -> None:
    content = {"data": {"balance": 1234.5, "orders": [{"status": "shipped"}], "vip": True, "none": None}}
    async with server(answering(content)) as base:
        walked = await ask(
            f"{base}/balance",
            {
                "save": {
                    "balance": "data.balance",
                    "status": "data.orders.0.status",
                    "vip": "data.vip",
                    "gone": "data.none",
                }
            },
        )
    assert ended(walked) == ("ok", "")
    saved = {name: walked.variables[name] for name in ("balance", "status", "vip", "gone")}
    assert saved == {"balance": 1234.5, "status": "shipped", "vip": True, "gone": None}


@pytest.mark.parametrize(
    ("status", "outcome", "detail"),
    [
        (200, "ok", ""),
        (204, "ok", ""),
        (404, "not_found", "HTTP 404"),
        (400, "refused", "HTTP 400"),
        (401, "refused", "HTTP 401"),
        (409, "refused", "HTTP 409"),
        (429, "unavailable", "HTTP 429"),
        (500, "unavailable", "HTTP 500"),
        (503, "unavailable", "HTTP 503"),
        (304, "invalid", "HTTP 304"),
    ],
)
async def test_each_status_has_its_branch(status: int, outcome: str, detail: str) -> None:
    async with server(answering(b"", status)) as base:
        assert ended(await ask(f"{base}/")) == (outcome, detail)


@pytest.mark.parametrize(
    ("private", "ended_as"),
    [(False, ("invalid", "crm.example.com leads to the private address 127.0.0.1")), (True, ("ok", ""))],
)
async def test_a_name_leads_into_the_companys_network_only_if_the_step_says_so(
    monkeypatch: pytest.MonkeyPatch, private: bool, ended_as: tuple[str, str]
) -> None:
    async def getaddrinfo(_: object, host: str, port: int, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async with server(answering({})) as base:
        monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", getaddrinfo)
        walked = await ask(base.replace("127.0.0.1", "crm.example.com"), {"private": private})
    assert ended(walked) == ended_as


async def test_a_redirect_leads_nowhere() -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "/secrets"})

    async with server(handler) as base:
        assert ended(await ask(f"{base}/balance")) == ("invalid", "HTTP 302")
    assert asked == ["/balance"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"<html>", "the answer is not JSON"),
        (b"", "the answer is not JSON"),
        ({"data": {}}, "the answer has no `data.balance`"),
        ([1], "the answer has no `data.balance`"),
        ({"data": {"balance": {"amount": 1}}}, "`data.balance` of the answer is not one value"),
        ({"data": {"balance": [1]}}, "`data.balance` of the answer is not one value"),
        (b" " * 70_000, "answer longer than 65536 bytes"),
    ],
)
async def test_an_answer_without_what_is_to_be_saved_is_invalid(body: Any, detail: str) -> None:
    async with server(answering(body)) as base:
        walked = await ask(f"{base}/", {"save": {"balance": "data.balance", "name": "data.name"}})
    assert ended(walked) == ("invalid", detail)
    assert "balance" not in walked.variables


async def test_gbk_is_understood() -> None:
    async with server(answering('{"name": "张三"}'.encode("gbk"))) as base:
        assert (await ask(f"{base}/", {"save": {"name": "name"}})).variables["name"] == "张三"


async def test_control_characters_of_an_answer_do_not_get_in() -> None:
    async with server(answering({"name": "a\r\nb\u2028c"})) as base:
        assert (await ask(f"{base}/", {"save": {"name": "name"}})).variables["name"] == "a  b c"


async def test_a_slow_endpoint_costs_its_deadline() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with server(handler) as base:
        assert ended(await ask(f"{base}/", {"deadline": "100ms"})) == ("timeout", "no answer within 0.1 s")


async def test_a_dead_endpoint_is_unavailable_and_after_five_times_spared() -> None:
    async with server(answering({})) as base:
        pass
    service = SelfService(SECRET)
    await service.open()
    try:
        details = [ended(await ask(f"{base}/", service=service)) for _ in range(6)]
    finally:
        await service.close()
    assert {outcome for outcome, _ in details} == {"unavailable"}
    assert details[-1][1] == "circuit breaker open"


async def test_a_slow_host_is_slow_for_itself_alone() -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    def question(base: str, deadline_s: float) -> Question:
        return Question("GET", URL(base), "r", deadline_s)

    service = SelfService(SECRET)
    await service.open()
    try:
        async with server(slow) as sick, server(answering({})) as well:
            crowd = [asyncio.create_task(service.ask(question(sick, 2.0))) for _ in range(40)]
            answer = await asyncio.wait_for(service.ask(question(well, 1.0)), 2)
            assert answer.outcome is Outcome.OK
            for task in crowd:
                task.cancel()
            await asyncio.gather(*crowd, return_exceptions=True)
    finally:
        await service.close()


async def test_the_example_server_tells_balances_and_orders() -> None:
    app = TestServer(create_app(CUSTOMERS, SECRET))
    await app.start_server()
    try:
        site = asking_at(str(app.make_url("")).rstrip("/"))
        known: dict[str, Any] = {"customer.id": "C7001"}
        balance = await ask("/accounts/{customer.id}", {"save": {"balance": "balance"}}, site=site, **known)
        order = await ask("/orders/{order}", {"save": {"status": "status"}}, site=site, order="20261001")
        unknown = await ask("/orders/{order}", site=site, order="1")
        stranger = await ask(str(app.make_url("/accounts/C7001")))
    finally:
        await app.close()
    assert (balance.variables["balance"], order.variables["status"]) == (1234.5, "shipped")
    assert ended(unknown) == ("not_found", "HTTP 404")
    assert ended(stranger) == ("refused", "HTTP 401")


async def test_a_caller_hears_music_when_it_takes_long_and_it_ends_with_the_wait() -> None:
    music_plays = asyncio.Event()

    class Listening(ScriptedLeg):
        async def hold_music(self, on: bool, music_class: str = "default") -> None:
            await super().hold_music(on, music_class)
            music_plays.set()

    class Slow:
        async def ask(self, question: Question) -> Answered:
            await music_plays.wait()
            return Answered(Outcome.OK)

    leg = Listening()
    await leg.answer()
    visit = visit_of(leg, services=services_of(http=Slow()))
    async with asyncio.timeout(5):
        await read_step({"http": "http://127.0.0.1/"}).run(visit)
    assert leg.music == [True, False]


async def test_a_caller_who_hangs_up_ends_the_request() -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        raise AssertionError

    async with server(handler) as base, asyncio.timeout(5):
        hanging_up = asyncio.create_task(ask(f"{base}/", {"deadline": "5s"}))
        await asked.wait()
        hanging_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging_up
        await left.wait()


async def test_the_timeline_has_neither_values_nor_what_was_saved() -> None:
    async with server(answering({"balance": 98765.25})) as base:
        walked = await ask(f"{base}/of/{{order}}", {"save": {"balance": "balance"}}, order="424242")
    (finished,) = [payload for kind, payload in walked.notes if kind == "http.finished"]
    assert finished["url"].endswith("/of/{order}") and finished["saved"] == ("balance",)
    assert "424242" not in repr(walked.notes) and "98765.25" not in repr(walked.notes)
