"""What the `http` step sends, to whom: nothing of a caller's acting in it, and the secrets only where they belong."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from yarl import URL

from engine.flow.steps import read_step
from engine.http.self_service import Answered, Outcome, Question
from tests.unit.flow.asking import SECRET, ask, asking_at, ended, server
from tests.unit.flow.scripted import default_site


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
