"""The example that users copy speaks the contract that the engine speaks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

import examples.identity_server
from engine.identity.contract import Member, Outcome
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


@asynccontextmanager
async def identity(server: TestServer, secret: str = SECRET) -> AsyncIterator[Identity]:
    asked = Identity(str(server.make_url("/identity")), secret)
    await asked.open()
    yield asked
    await asked.close()


async def ask(server: TestServer, raw: str, secret: str = SECRET) -> Answer:
    async with identity(server, secret) as asked:
        return await asked.look_up(normalise(raw), dialled="4008001234", call_id="c", variables={})


async def prove(server: TestServer, *tries: Member) -> list[str]:
    async with identity(server) as asked:
        return [
            (
                await asked.look_up(normalise("anonymous"), dialled="400", call_id="c", variables={}, member=member)
            ).outcome.value
            for member in tries
        ]


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
        assert await response.json() == {"status": "ok", "customers": 3, "members": 2}


RIGHT, WRONG = Member(id="1001", pin="2468"), [Member(id="1001", pin=f"000{n}") for n in range(4)]


@pytest.mark.parametrize(
    ("member", "outcome"),
    [
        (RIGHT, "ok"),
        (Member(id_card="11010519491231002X"), "ok"),
        (Member(id="1001", id_card="11010519491231002X", pin="2468"), "ok"),
        (Member(id="1001", id_card="440524188001010014", pin="2468"), "rejected"),
        (Member(id="1001", pin="1357"), "rejected"),
        (Member(id="1001"), "rejected"),
        (Member(id="4711", pin="2468"), "not_found"),
        (Member(id_card="110105194912310038"), "not_found"),
    ],
)
async def test_a_member_is_known_by_all_that_they_keyed_in(server: TestServer, member: Member, outcome: str) -> None:
    assert await prove(server, member) == [outcome]


async def test_three_wrong_pins_lock_the_account_for_the_right_one_too(server: TestServer) -> None:
    assert await prove(server, *WRONG[:3], RIGHT) == ["rejected", "rejected", "locked", "locked"]


async def test_a_right_pin_forgives_the_wrong_ones_before_it(server: TestServer) -> None:
    assert await prove(server, *WRONG[:2], RIGHT, WRONG[2]) == ["rejected", "rejected", "ok", "rejected"]


async def test_the_same_try_asked_about_again_counts_once(server: TestServer) -> None:
    assert await prove(server, *[WRONG[0]] * 4, RIGHT) == [*["rejected"] * 4, "ok"]
