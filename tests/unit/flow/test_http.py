"""The `http` step against a real server on loopback: each way it may end, and nothing of a caller's acting in it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from yarl import URL

from engine.config.models import IdentitySettings
from engine.config.site import Site
from engine.flow.steps import Ended, read_step
from engine.http.self_service import Answered, Outcome, Question, SelfService
from examples.identity_server.server import create_app
from tests.unit.flow.scripted import PROJECT, ScriptedLeg, Walked, default_site, visit_of, walk
from tests.unit.nobody import services_of

SECRET = "shared"
CUSTOMERS = PROJECT / "examples/identity_server/customers.yaml"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handler)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def answering(body: Any, status: int = 200, **options: Any) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        return web.Response(body=data, status=status, **options)

    return handler


async def ask(
    url: str,
    settings: Mapping[str, Any] | None = None,
    service: Any = None,
    site: Site | None = None,
    **variables: Any,
) -> Walked:
    """One `http` step, whose outcomes are steps."""
    steps: dict[str, Any] = {
        "ask": {"http": url, "when": {o.value: f"was_{o.value}" for o in Outcome}, **(settings or {})},
        **{f"was_{o.value}": {"hangup": "flow_hangup"} for o in Outcome},
    }
    if service is not None:
        return await walk([], steps, services=services_of(http=service), site=site, **variables)
    real = SelfService(SECRET)
    await real.open()
    try:
        return await walk([], steps, services=services_of(http=real), site=site, **variables)
    finally:
        await real.close()


def ended(walked: Walked) -> tuple[str, str]:
    """The outcome's step, and the detail in the timeline."""
    assert isinstance(walked.end, Ended)
    (finished,) = [payload for kind, payload in walked.notes if kind == "http.finished"]
    return walked.entered[-1].removeprefix("main/was_"), finished["detail"]


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


@pytest.mark.parametrize(
    "order", ["20261001", "../admin", "..%2fadmin", "1?admin=1", "1#x", "a b&of=d", "a+b;c", "张三", "%2e%2e", "\\"]
)
async def test_what_a_caller_keyed_in_stays_in_its_place_in_the_url(order: str) -> None:
    asked: list[web.Request] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        return web.Response()

    async with server(handler) as base:
        await ask(f"{base}/orders/{{order}}/status?of={{order}}&all=no", order=order)
    (request,) = asked
    before, orders, value, status = request.raw_path.partition("?")[0].split("/")
    assert (before, orders, unquote(value), status) == ("", "orders", order, "status")
    assert list(request.query.items()) == [("of", order), ("all", "no")]


@pytest.mark.parametrize(
    ("order", "detail"),
    [
        ("", "an empty value cannot stand in a URL"),
        (None, "an empty value cannot stand in a URL"),
        ("..", "`..` cannot stand in a URL"),
        ("9" * 1024, "the URL comes to 1024 characters or more"),
    ],
)
async def test_a_value_that_would_ask_for_something_else_is_not_sent(order: str | None, detail: str) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        raise AssertionError("asked")

    async with server(handler) as base:
        assert ended(await ask(f"{base}/orders/{{order}}", order=order)) == ("invalid", detail)


@given(order=st.text(max_size=40), customer=st.text(min_size=1, max_size=10))
async def test_no_value_changes_whom_is_asked_or_for_what(order: str, customer: str) -> None:
    asked: list[URL] = []

    class Listening:
        async def ask(self, question: Question) -> Answered:
            asked.append(question.url)
            return Answered(Outcome.OK)

    url = "https://crm.example.com/of/{customer}/orders/{order}/status"
    await ask(url, service=Listening(), order=order, customer=customer)
    for got in asked:
        assert (got.scheme, got.host, got.port, got.user) == ("https", "crm.example.com", 443, None)
        assert got.raw_path.count("/") == 5
        assert got.raw_path.startswith("/of/") and got.raw_path.endswith("/status") and "/orders/" in got.raw_path
        assert not got.raw_query_string and not got.raw_fragment


async def test_the_body_is_json_and_the_secret_comes_from_its_file(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.update(body=await request.json(), method=request.method, headers=dict(request.headers))
        return web.Response()

    token = tmp_path / "token"
    token.write_text("s3cret\n")
    settings = {
        "method": "POST",
        "secret_file": str(token),
        "headers": {"Authorization": "Bearer {secret}", "X-App": "hotline"},
        "body": {"order": "{order}", "note": 'say "{order}"', "urgent": True, "n": 3, "none": None},
    }
    async with server(handler) as base:
        walked = await ask(f"{base}/orders", settings, order='7","admin":"1')
    assert ended(walked) == ("ok", "")
    assert seen["method"] == "POST"
    assert seen["body"] == {
        "order": '7","admin":"1',
        "note": 'say "7","admin":"1"',
        "urgent": True,
        "n": 3,
        "none": None,
    }
    assert seen["headers"]["Authorization"] == "Bearer s3cret"
    assert seen["headers"]["X-App"] == "hotline"
    assert seen["headers"]["Content-Type"] == "application/json"
    assert "s3cret" not in repr(walked.notes)


@pytest.mark.parametrize("content", [None, "", "two\nlines"])
async def test_without_its_secret_nothing_is_sent(tmp_path: Path, content: str | None) -> None:
    token = tmp_path / "token"
    if content is not None:
        token.write_text(content)
    settings = {"secret_file": str(token), "headers": {"X-Key": "{secret}"}}

    async def handler(request: web.Request) -> web.StreamResponse:
        raise AssertionError("asked")

    async with server(handler) as base:
        outcome, detail = ended(await ask(f"{base}/", settings))
    assert outcome == "invalid"
    assert str(token) in detail


def asking_at(base: str) -> Site:
    settings = IdentitySettings(url=f"{base}/identity")
    return replace(default_site(), hotline=default_site().hotline.model_copy(update={"identity": settings}))


async def test_a_path_alone_is_asked_of_the_identity_endpoints_host_and_signed() -> None:
    seen: list[tuple[str, str, bytes]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        headers = request.headers
        line = f"{headers['X-Hotline-Timestamp']}.{request.method} {request.raw_path}\n".encode()
        seen.append((request.raw_path, headers["X-Hotline-Signature"], line + await request.read()))
        return web.Response()

    async with server(handler) as base:
        await ask("/orders/{order}?a=1", site=asking_at(base), order="7 8")
        await ask("/orders", {"method": "POST", "body": {"order": "{order}"}}, site=asking_at(base), order="7")
    assert [path for path, _, _ in seen] == ["/orders/7%208?a=1", "/orders"]
    for _, signature, signed in seen:
        assert signature == "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()


async def test_nobody_else_is_shown_anything_made_with_the_shared_secret() -> None:
    seen: list[set[str]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append({name for name in request.headers if name.startswith("X-Hotline")})
        return web.Response()

    async with server(handler) as base:
        await ask(f"{base}/", site=asking_at(base))
    assert seen == [set()]


async def test_without_an_identity_endpoint_a_path_leads_nowhere() -> None:
    site = replace(default_site(), hotline=default_site().hotline.model_copy(update={"identity": None}))
    outcome, detail = ended(await ask("/orders", site=site))
    assert (outcome, "no `identity`" in detail) == ("invalid", True)


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


async def test_each_request_of_a_call_has_a_key_of_its_own_and_a_repeated_one_the_same() -> None:
    keys: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:  # the connection breaks before the answer
            assert request.transport is not None
            request.transport.abort()
        return web.Response()

    async with server(handler) as base:
        first = await ask(f"{base}/redeem", {"method": "POST"})
        again = await ask(f"{base}/redeem", {"method": "POST"}, **{"http.asked": first.variables["http.asked"]})
        after_a_crash = await ask(f"{base}/redeem", {"method": "POST"}, **dict[str, Any]({"http.asked": 1}))
    assert keys == ["1abc-http-1", "1abc-http-1", "1abc-http-2", "1abc-http-2"]
    assert ended(first)[0] == ended(again)[0] == ended(after_a_crash)[0] == "ok"


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


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"http": "https://{host}/x"}, "variables} behind the host only"),
        ({"http": "https://crm{x}.example.com/"}, "behind the host only"),
        ({"http": "https://{user}@crm.example.com/"}, "behind the host only"),
        ({"http": "https://me:pw@crm.example.com/"}, "without user, password"),
        ({"http": "ftp://crm.example.com/"}, "must be http"),
        ({"http": "crm.example.com"}, "must be http"),
        ({"http": "//evil.example.com/x"}, "must be http"),
        ({"http": "{url}"}, "must be http"),
        ({"http": "file:///etc/passwd"}, "must be http"),
        ({"http": "http://h/", "body": {"a": 1}}, "method: POST"),
        ({"http": "http://h/", "headers": {"X": "{order}"}}, "belongs into the body"),
        ({"http": "http://h/", "headers": {"X y": "1"}}, "no header"),
        ({"http": "http://h/", "headers": {"Host": "other"}}, "no header"),
        ({"http": "http://h/", "headers": {"X": "a\r\nY: b"}}, "text and"),
        ({"http": "http://h/", "headers": {"X": "{secret}"}}, "belong together"),
        ({"http": "http://h/", "secret_file": "x"}, "belong together"),
        ({"http": "http://h/", "deadline": "40s"}, "less than or equal to 30"),
        ({"http": "http://h/", "save": {"customer.id": "id"}}, "match pattern"),
        ({"http": "http://h/", "save": {"a": "b..c"}}, "match pattern"),
    ],
)
def test_a_step_that_cannot_work_is_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        read_step(settings)
