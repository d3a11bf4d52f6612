"""The engine's side of the contract against a real server: what it asks, and what it makes of the answer."""

import hashlib
import hmac
import time

import orjson
import pytest
from aiohttp import web

from engine.identity.contract import Member, Outcome
from engine.identity.endpoint import Identity, NoIdentity
from engine.identity.numbers import normalise
from tests.unit.identity.asking import KNOWN, SECRET, answering, ask, endpoint, identity, once


async def test_a_known_caller_comes_with_customer_route_and_variables() -> None:
    answer = await once(
        answering(
            {
                "status": "ok",
                "customer": {"id": "1", "name": "张三", "tier": "VIP"},
                "route": {"action": "queue", "target": "sales", "priority": 300},
                "variables": {"a": 1},
            }
        )
    )
    assert answer.outcome is Outcome.OK
    assert answer.customer is not None and answer.customer.name == "张三"
    assert answer.route is not None and answer.route.target == "sales"
    assert answer.variables == {"a": 1}
    assert (answer.cached, answer.detail) == (False, "")


@pytest.mark.parametrize("status", ["not_found", "rejected", "locked"])
async def test_the_endpoints_status_is_the_outcome(status: str) -> None:
    assert (await once(answering({"status": status}))).outcome == status


async def test_what_is_posted_is_the_contract_and_its_signature_can_be_verified() -> None:
    seen: list[tuple[bytes, dict[str, str]]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append((await request.read(), dict(request.headers)))
        return web.json_response({"status": "not_found"})

    before = time.time() * 1000
    async with endpoint(handler) as url, identity(url) as asked:
        await asked.look_up(KNOWN, dialled="4008001234", call_id="c7", variables={"x": "y", "n": 2})
    body, headers = seen[0]
    question = orjson.loads(body)
    timestamp = question.pop("timestamp")
    assert before - 1 <= timestamp <= time.time() * 1000
    assert question == {
        "version": 1,
        "call_id": "c7",
        "event": "caller",
        "caller": {
            "number": "+8613800138000",
            "presentation": "allowed",
            "area": "北京市",
            "carrier": "中国移动",
        },
        "dialled": "4008001234",
        "variables": {"x": "y", "n": 2},
    }
    assert headers["X-Hotline-Timestamp"] == str(timestamp)
    expected = hmac.new(SECRET.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["X-Hotline-Signature"] == f"sha256={expected}"
    assert headers["Idempotency-Key"].startswith("c7-")
    assert headers["Content-Type"] == "application/json"


async def test_a_members_pin_is_sent_once_per_different_try_and_not_shown() -> None:
    keys: list[str] = []
    members: list[object] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        keys.append(request.headers["Idempotency-Key"])
        question = await request.json()
        members.append((question["event"], question["member"]))
        return web.json_response({"status": "ok"})

    async with endpoint(handler) as url, identity(url) as asked:
        for pin in ("1111", "1111", "2222"):
            await ask(asked, member=Member(id="77", pin=pin))
    assert members[2] == ("member", {"id": "77", "pin": "2222"})
    assert keys[0] == keys[1] != keys[2]
    assert not any("1111" in key or "2222" in key for key in keys)
    assert "1111" not in repr(Member(id="77", pin="1111"))


@pytest.mark.parametrize("raw", ["anonymous", "", "10086", "alice"])
async def test_a_caller_without_a_number_is_not_asked_about(raw: str) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        raise AssertionError("asked")

    async with endpoint(handler) as url, identity(url) as asked:
        answer = await asked.look_up(normalise(raw), dialled="400", call_id="c", variables={})
    assert answer.outcome is Outcome.NOT_FOUND


async def test_404_with_an_answer_is_an_answer_and_without_is_invalid() -> None:
    assert (await once(answering({"status": "not_found"}, 404))).outcome is Outcome.NOT_FOUND
    assert (await once(answering(b"404: Not Found", 404))).outcome is Outcome.INVALID


@pytest.mark.parametrize("content_type", ["text/html", "application/octet-stream", "text/plain; charset=gbk"])
async def test_the_content_type_is_ignored(content_type: str) -> None:
    answer = await once(answering({"status": "ok"}, headers={"Content-Type": content_type}))
    assert answer.outcome is Outcome.OK


async def test_gbk_is_understood() -> None:
    answer = await once(answering('{"status":"ok","customer":{"name":"李四"}}'.encode("gbk")))
    assert answer.customer is not None and answer.customer.name == "李四"


async def test_connections_are_kept_alive() -> None:
    peers = set()

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.json_response({"status": "ok"})

    async with endpoint(handler) as url, identity(url) as asked:
        for _ in range(5):
            assert (await ask(asked)).outcome is Outcome.OK
    assert len(peers) == 1


@pytest.mark.parametrize("url", ["", "ftp://x/", "//x/", "127.0.0.1:9090", "http://"])
def test_an_unusable_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError):
        Identity(url, SECRET)


def test_an_empty_secret_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="secret"):
        Identity("http://127.0.0.1/", "")


async def test_without_an_endpoint_nobody_is_known() -> None:
    assert (await ask(NoIdentity())).outcome is Outcome.NOT_FOUND


async def test_a_caller_who_dials_again_at_once_is_not_asked_about_again() -> None:
    asked_about: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked_about.append((await request.json())["caller"]["number"])
        return web.json_response({"status": "ok", "customer": {"name": "张三"}})

    async with endpoint(handler) as url, identity(url, fresh_s=30) as asked:
        first, second = await ask(asked, call_id="c1"), await ask(asked, call_id="c2")
        other = await asked.look_up(normalise("13900139000"), dialled="4008001234", call_id="c3", variables={})
        elsewhere = await asked.look_up(KNOWN, dialled="4009999999", call_id="c4", variables={})
        knowing_more = await asked.look_up(KNOWN, dialled="4008001234", call_id="c5", variables={"order": "7"})
    assert (first.cached, second.cached, second.ms) == (False, True, 0)
    assert second.customer == first.customer
    assert not (other.cached or elsewhere.cached or knowing_more.cached)
    assert len(asked_about) == 4


async def test_nothing_is_remembered_unless_told_to() -> None:
    async with endpoint(answering({"status": "ok"})) as url, identity(url) as asked:
        assert not ((await ask(asked)).cached or (await ask(asked)).cached)


async def test_what_a_member_proves_is_proved_anew_each_time() -> None:
    member = Member(id="1001", pin="2468")
    async with endpoint(answering({"status": "ok"})) as url, identity(url, fresh_s=30) as asked:
        for _ in range(3):
            assert not (await ask(asked, member=member)).cached
        assert not (await ask(asked)).cached, "a member's answer was given for the number"


@pytest.mark.parametrize("fault", [b"nonsense", 503])
async def test_a_failure_is_not_remembered(fault: bytes | int) -> None:
    well = False

    async def handler(request: web.Request) -> web.StreamResponse:
        if well:
            return web.json_response({"status": "ok"})
        return web.Response(status=fault) if isinstance(fault, int) else web.Response(body=fault)

    async with endpoint(handler) as url, identity(url, fresh_s=30) as asked:
        assert (await ask(asked)).outcome in (Outcome.INVALID, Outcome.UNAVAILABLE)
        well = True
        assert (await ask(asked)).outcome is Outcome.OK


async def test_the_same_question_has_the_same_key_and_another_question_another() -> None:
    keys: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        keys.append(request.headers["Idempotency-Key"])
        return web.json_response({"status": "ok"})

    async with endpoint(handler) as url, identity(url) as asked:
        for call_id, order in (("c1", "7"), ("c1", "7"), ("c1", "8"), ("c2", "7")):
            await asked.look_up(KNOWN, dialled="400", call_id=call_id, variables={"order": order})
    assert keys[0] == keys[1]
    assert len({*keys}) == 3


async def test_only_what_was_keyed_in_is_sent() -> None:
    members: list[object] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        members.append((await request.json())["member"])
        return web.json_response({"status": "ok"})

    async with endpoint(handler) as url, identity(url) as asked:
        await ask(asked, member=Member(id_card="11010519491231002X"))
        await ask(asked, member=Member(id="1001", pin="2468"))
    assert members == [{"id_card": "11010519491231002X"}, {"id": "1001", "pin": "2468"}]
    assert "11010519491231002X" not in repr(Member(id_card="11010519491231002X"))
