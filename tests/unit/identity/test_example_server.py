"""The example that users copy speaks the contract that the engine speaks."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

import examples.identity_server
from engine.identity.contract import Outcome
from engine.identity.endpoint import Answer, Identity
from engine.identity.numbers import normalise
from examples.identity_server.server import create_app

CUSTOMERS = Path(examples.identity_server.__file__).with_name("customers.yaml")
SECRET = "shared"


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    running = TestServer(create_app(CUSTOMERS, SECRET))
    await running.start_server()
    yield running
    await running.close()


async def ask(server: TestServer, raw: str, secret: str = SECRET) -> Answer:
    asked = Identity(str(server.make_url("/identity")), secret)
    await asked.open()
    try:
        return await asked.look_up(normalise(raw), dialled="4008001234", call_id="c", variables={})
    finally:
        await asked.close()


async def test_the_vip_is_known_and_has_a_head_start(server: TestServer) -> None:
    answer = await ask(server, "013800138000")
    assert answer.outcome is Outcome.OK
    assert answer.customer is not None
    assert (answer.customer.name, answer.customer.tier) == ("张三", "VIP")
    assert answer.route is not None and answer.route.action is None and answer.route.priority == 300


async def test_an_ordinary_customer_is_known(server: TestServer) -> None:
    answer = await ask(server, "+8613900139000")
    assert answer.customer is not None and answer.customer.name == "李四"


@pytest.mark.parametrize(("raw", "outcome"), [("13700137000", "rejected"), ("13600136000", "not_found")])
async def test_blocked_and_unknown_callers(server: TestServer, raw: str, outcome: str) -> None:
    assert (await ask(server, raw)).outcome == outcome


async def test_a_wrong_secret_is_refused(server: TestServer) -> None:
    answer = await ask(server, "13800138000", secret="another")
    assert (answer.outcome, answer.detail) == (Outcome.INVALID, "HTTP 401")


async def test_an_unsigned_or_stale_request_is_refused(server: TestServer) -> None:
    async with ClientSession() as session:
        for timestamp in ("", "1", "x", "²"):
            headers = {"X-Hotline-Timestamp": timestamp, "X-Hotline-Signature": "sha256=0"}
            async with session.post(server.make_url("/identity"), data=b"{}", headers=headers) as response:
                assert response.status == 401


async def test_health(server: TestServer) -> None:
    async with ClientSession() as session, session.get(server.make_url("/health")) as response:
        assert await response.json() == {"status": "ok", "customers": 3}
