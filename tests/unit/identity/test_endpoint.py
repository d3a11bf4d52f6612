"""The engine's side of the contract against real servers on loopback: good, slow, dead and mad ones."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import web

from engine.http.breaker import Breaker, State
from engine.http.line import MAX_ANSWER
from engine.identity.contract import Member, Outcome
from engine.identity.endpoint import Answer, Identity, NoIdentity
from engine.identity.numbers import normalise

SECRET = "s3cret"
KNOWN = normalise("013800138000")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def endpoint(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/identity", handler)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/identity"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw_endpoint(answers: list[bytes]) -> AsyncIterator[str]:
    """Each connection gets one request's worth of reading, the next of these bytes, and is closed."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answers.pop(0) if answers else b"")
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/identity"


@asynccontextmanager
async def identity(url: str, **options: Any) -> AsyncIterator[Identity]:
    asked = Identity(url, SECRET, **options)
    await asked.open()
    try:
        yield asked
    finally:
        await asked.close()


async def ask(asked: Identity | NoIdentity, *, call_id: str = "c1", member: Member | None = None) -> Answer:
    return await asked.look_up(KNOWN, dialled="4008001234", call_id=call_id, variables={}, member=member)


def answering(body: Any, status: int = 200, **options: Any) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        await request.read()
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        return web.Response(body=data, status=status, **options)

    return handler


async def once(handler: Handler, **options: Any) -> Answer:
    async with endpoint(handler) as url, identity(url, **options) as asked:
        return await ask(asked)


async def free_port() -> int:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def until(condition: Callable[[], bool], within_s: float = 5.0) -> None:
    # aiohttp tells nobody when a connection is freed
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def connections_in_use(asked: Identity) -> int:
    assert asked.line._session is not None and asked.line._session.connector is not None
    return len(asked.line._session.connector._acquired)


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


async def test_a_slow_endpoint_times_out_within_the_deadline() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    began = time.perf_counter()
    answer = await once(handler, deadline_s=0.1)
    assert answer.outcome is Outcome.TIMEOUT
    assert 90 <= answer.ms < 1000
    assert time.perf_counter() - began < 1.5


async def test_an_answer_that_trickles_is_one_deadline_too() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)

    answer = await once(handler, deadline_s=0.2)
    assert answer.outcome is Outcome.TIMEOUT
    assert answer.ms < 1000


async def test_a_dead_port_is_unavailable_at_once() -> None:
    async with identity(f"http://127.0.0.1:{await free_port()}/identity") as asked:
        answer = await ask(asked)
    assert answer.outcome is Outcome.UNAVAILABLE
    assert answer.ms < 1000


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
async def test_a_server_error_is_unavailable_whatever_its_body_says(status: int) -> None:
    answer = await once(answering({"status": "ok"}, status))
    assert (answer.outcome, answer.detail) == (Outcome.UNAVAILABLE, f"HTTP {status}")


@pytest.mark.parametrize("status", [400, 401, 403, 405])
async def test_a_client_error_is_invalid_even_if_it_looks_like_an_answer(status: int) -> None:
    answer = await once(answering({"status": "rejected"}, status))
    assert (answer.outcome, answer.detail) == (Outcome.INVALID, f"HTTP {status}")


async def test_404_with_an_answer_is_an_answer_and_without_is_invalid() -> None:
    assert (await once(answering({"status": "not_found"}, 404))).outcome is Outcome.NOT_FOUND
    assert (await once(answering(b"404: Not Found", 404))).outcome is Outcome.INVALID


async def test_a_redirect_is_not_followed() -> None:
    answer = await once(answering(b"", 302, headers={"Location": "http://127.0.0.1:1/"}))
    assert (answer.outcome, answer.detail) == (Outcome.INVALID, "HTTP 302")


@pytest.mark.parametrize("content_type", ["text/html", "application/octet-stream", "text/plain; charset=gbk"])
async def test_the_content_type_is_ignored(content_type: str) -> None:
    answer = await once(answering({"status": "ok"}, headers={"Content-Type": content_type}))
    assert answer.outcome is Outcome.OK


async def test_gbk_is_understood() -> None:
    answer = await once(answering('{"status":"ok","customer":{"name":"李四"}}'.encode("gbk")))
    assert answer.customer is not None and answer.customer.name == "李四"


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"status":"maybe"}'])
async def test_nonsense_is_invalid(body: bytes) -> None:
    answer = await once(answering(body))
    assert answer.outcome is Outcome.INVALID
    assert answer.detail


async def test_a_huge_answer_is_given_up_at_the_size_cap() -> None:
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b" " * MAX_ANSWER)
            sent += MAX_ANSWER
        return response

    answer = await once(handler, deadline_s=5.0)
    assert answer.outcome is Outcome.INVALID
    assert sent < 500 * MAX_ANSWER


async def test_an_answer_of_exactly_the_cap_is_read() -> None:
    body = orjson.dumps({"status": "ok"}).ljust(MAX_ANSWER)
    assert (await once(answering(body))).outcome is Outcome.OK
    assert (await once(answering(body + b" "))).outcome is Outcome.INVALID


async def test_a_compressed_answer_is_not_unpacked() -> None:
    answer = await once(answering({"status": "ok"}, headers={"Content-Encoding": "gzip"}))
    assert answer.outcome is Outcome.OK  # the bytes as they came, which a bomb's would not be


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Outcome.INVALID),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", Outcome.INVALID),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"status":', Outcome.UNAVAILABLE),
        (b"", Outcome.UNAVAILABLE),
    ],
)
async def test_what_is_not_http_is_a_typed_failure(answer: bytes, outcome: Outcome) -> None:
    async with raw_endpoint([answer, answer]) as url, identity(url) as asked:
        assert (await ask(asked)).outcome is outcome


async def test_a_connection_closed_just_as_it_was_used_is_tried_once_more() -> None:
    good = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"status":"ok"}'
    async with raw_endpoint([b"", good]) as url, identity(url) as asked:
        assert (await ask(asked)).outcome is Outcome.OK


async def test_the_breaker_opens_spares_callers_and_recovers_by_a_probe() -> None:
    healthy = False
    requests = 0
    now = 0.0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal requests
        requests += 1
        return web.json_response({"status": "ok"}, status=200 if healthy else 503)

    breaker = Breaker(failures=3, pause_s=10, clock=lambda: now)
    async with endpoint(handler) as url, identity(url, breaker=breaker) as asked:
        for _ in range(3):
            assert (await ask(asked)).outcome is Outcome.UNAVAILABLE
        spared = await ask(asked)
        assert (spared.outcome, spared.detail, requests) == (Outcome.UNAVAILABLE, "circuit breaker open", 3)
        healthy, now = True, 20.0
        answers = await asyncio.gather(*(ask(asked) for _ in range(5)))
        assert sorted(a.outcome.value for a in answers) == ["ok"] + ["unavailable"] * 4
        assert requests == 4
        assert asked.breaker.state is State.CLOSED
        assert (await ask(asked)).outcome is Outcome.OK


async def test_nonsense_does_not_open_the_breaker() -> None:
    async with endpoint(answering(b"?")) as url, identity(url, breaker=Breaker(failures=2)) as asked:
        for _ in range(5):
            assert (await ask(asked)).outcome is Outcome.INVALID
        assert asked.breaker.state is State.CLOSED


async def test_a_caller_who_hangs_up_frees_the_connection_and_the_place() -> None:
    arrived = asyncio.Event()
    left = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        if (await request.json())["call_id"] == "next":
            return web.json_response({"status": "ok"})
        arrived.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        raise AssertionError

    async with endpoint(handler) as url, identity(url, in_flight=1, deadline_s=5.0) as asked:
        hanging_up = asyncio.create_task(ask(asked))
        await asyncio.wait_for(arrived.wait(), 5)
        assert connections_in_use(asked) == 1
        hanging_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging_up
        await until(lambda: connections_in_use(asked) == 0)
        await asyncio.wait_for(left.wait(), 5)
        assert (await ask(asked, call_id="next")).outcome is Outcome.OK


async def test_a_probe_whose_caller_hangs_up_does_not_leave_the_breaker_stuck() -> None:
    now = 0.0
    arrived = asyncio.Event()
    breaker = Breaker(failures=1, pause_s=10, clock=lambda: now)

    async def handler(request: web.Request) -> web.StreamResponse:
        if (await request.json())["call_id"] == "next":
            return web.json_response({"status": "ok"})
        arrived.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with endpoint(handler) as url, identity(url, breaker=breaker, deadline_s=5.0) as asked:
        ticket = breaker.admit()
        assert ticket is not None
        breaker.failed(ticket)
        now = 20.0
        probe = asyncio.create_task(ask(asked))
        await asyncio.wait_for(arrived.wait(), 5)
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        assert (await ask(asked, call_id="next")).outcome is Outcome.OK
        assert breaker.state is State.CLOSED


async def test_requests_in_flight_are_bounded_and_the_wait_is_within_the_deadline() -> None:
    in_flight = most = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight)
        try:
            await asyncio.sleep(0.15)
        finally:
            in_flight -= 1
        return web.json_response({"status": "ok"})

    async with endpoint(handler) as url, identity(url, in_flight=2, deadline_s=0.5) as asked:
        answers = await asyncio.gather(*(ask(asked) for _ in range(20)))
    assert most == 2
    assert {a.outcome for a in answers} == {Outcome.OK, Outcome.TIMEOUT}
    assert all(a.ms < 1500 for a in answers)


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
