"""The engine's side of the contract against slow, dead and mad servers: a typed failure, within the deadline."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import orjson
import pytest
from aiohttp import web

from engine.http.breaker import Breaker, State
from engine.http.line import MAX_ANSWER
from engine.identity.contract import Outcome
from engine.identity.endpoint import Identity
from tests.unit.identity.asking import answering, ask, endpoint, identity, once


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


async def test_a_redirect_is_not_followed() -> None:
    answer = await once(answering(b"", 302, headers={"Location": "http://127.0.0.1:1/"}))
    assert (answer.outcome, answer.detail) == (Outcome.INVALID, "HTTP 302")


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
