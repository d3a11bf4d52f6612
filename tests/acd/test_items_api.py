"""What programs and supervisors ask of those who wait: the API on a real socket, a real Redis, a real database."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import orjson
import pytest

from engine.acd import Device, Intent, Policy, Released, Step
from engine.api.client import Refused, ask
from engine.api.server import Api
from engine.app import Engine
from engine.call.phase import Phase
from engine.call.record import CallRecord
from engine.journal.ledger import Ledger
from engine.redis_line import RedisLine
from engine.store.database import Database
from tests.acd.office import SOON_S, Office, site, until

DOCS = Path(__file__).parents[2] / "docs"
CALL = "01kak3r9sdm4p7"
WAITS = Policy(steps=(Step(0, "sales"),), lease_ms=20_000, wrapup_ms=10_000)


class Calls:
    def __init__(self, records: list[CallRecord]) -> None:
        self._records = records

    def __contains__(self, call_id: str) -> bool:
        return any(record.id == call_id for record in self._records)

    def records(self) -> list[CallRecord]:
        return self._records


class NoCallbacks:
    def __contains__(self, _: str) -> bool:
        return False

    def items(self) -> list[str]:
        return []


class Counter:
    """The API of an office, and who asks it."""

    def __init__(self, office: Office, folder: Path, database: Database) -> None:
        self.office = office
        self.socket = folder / "api.sock"
        self.records: list[CallRecord] = []
        engine = SimpleNamespace(
            acd=office.acd,
            items=office.board,
            database=database,
            calls=Calls(self.records),
            callbacks=NoCallbacks(),
            board=SimpleNamespace(site=office.site),
        )
        self.api = Api(cast(Engine, engine))

    async def get(self, path: str) -> Any:
        return await ask(self.socket, path)

    async def post(self, path: str, **body: Any) -> Any:
        return await ask(self.socket, path, body=body)

    async def add(self, queue: str = "urgent", **terms: Any) -> str:
        item = await self.post("/v1/items", queue=queue, type="email", **terms)
        return str(item["id"])

    async def calls(self, call_id: str = CALL) -> None:
        """A caller waits in sales."""
        self.records.append(
            CallRecord(call_id, "c1", "4008001234", number="+8613800138000", phase=Phase.WAITING, queue="sales")
        )
        await self.office.acd.enqueue(call_id, queue="sales", policy=WAITS)

    async def explained(self, wanted: str, **had: Any) -> Any:
        """The explanation, once the database has what is looked for."""
        async with asyncio.timeout(SOON_S):
            while True:
                with suppress(Refused):  # it has ended, and its events are not in the database yet
                    found = await self.get(f"/v1/explain/{wanted}")
                    if all(found[key] for key in had):
                        return found
                await asyncio.sleep(0.02)


@pytest.fixture
async def counter(line: RedisLine, tmp_path: Path) -> AsyncIterator[Counter]:
    folder = Path(tempfile.mkdtemp(prefix="hl-"))  # Unix sockets have short names
    database = Database(f"sqlite:///{tmp_path}/hotline.db")
    await database.open()
    ledger = Ledger(line.url, database, consumer="main")
    await ledger.open()
    office = Office(line, site(tmp_path / "site"))
    await office.open()
    counter = Counter(office, folder, database)
    await counter.api.open(counter.socket)
    yield counter
    await counter.api.close()
    await office.close()
    await ledger.close()
    await database.close()
    shutil.rmtree(folder)


async def test_an_email_goes_from_one_program_to_another_and_is_done(counter: Counter) -> None:
    await counter.office.acd.agent("8002", intent=Intent.READY)
    waiting = asyncio.ensure_future(counter.get("/v1/agents/8002/offers?wait=5"))
    item_id = await counter.add(subject="Wrong invoice", data={"mail": 4711}, by="crm")
    (offer,) = (await waiting)["offers"]
    assert (offer["item"]["id"], offer["item"]["data"]) == (item_id, {"mail": 4711})
    assert (await counter.post(f"/v1/offers/{offer['token']}/accept"))["id"] == item_id
    (row,) = (await counter.get("/v1/items?queue=urgent"))["items"]
    assert (row["state"], row["agent"]) == ("talking", "8002")
    await counter.post(f"/v1/items/{item_id}/complete")
    assert (await counter.get("/v1/items"))["items"] == []

    await counter.explained(item_id, ended=True)
    (ended,) = (await counter.get("/v1/items?ended=10"))["ended"]
    assert (ended["id"], ended["agent"], ended["reason"], ended["by"]) == (item_id, "8002", "completed", "crm")
    story = await counter.get(f"/v1/items/{item_id[:-3]}")
    assert story["item"] is None
    assert [event["type"] for event in story["events"]][:3] == ["item.added", "item.enqueued", "offer.created"]


async def test_a_program_that_knows_the_present_version_is_told_of_the_next(counter: Counter) -> None:
    await counter.office.ready("8002")
    first = await counter.add()
    seen = await counter.get("/v1/agents/8002/offers?wait=5")
    assert [offer["item"]["id"] for offer in seen["offers"]] == [first]
    assert await counter.get(f"/v1/agents/8002/offers?wait=0.05&after={seen['version']}") == seen
    waiting = asyncio.ensure_future(counter.get(f"/v1/agents/8002/offers?wait=5&after={seen['version']}"))
    await ask(counter.socket, f"/v1/items/{first}?by=crm", method="DELETE")
    assert (await waiting)["offers"] == []


async def test_a_stream_shows_all_of_it_at_once_and_after_every_change(counter: Counter) -> None:
    await counter.office.acd.agent("8002", intent=Intent.READY)
    connector = aiohttp.UnixConnector(str(counter.socket))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.ws_connect("http://engine/v1/agents/8002/offers/stream") as stream,
        asyncio.timeout(SOON_S),
    ):
        assert orjson.loads((await stream.receive()).data)["offers"] == []
        item_id = await counter.add()
        (offer,) = orjson.loads((await stream.receive()).data)["offers"]
        await counter.post(f"/v1/offers/{offer['token']}/accept")
        while not (shown := orjson.loads((await stream.receive()).data))["items"]:
            pass
        assert [item["id"] for item in shown["items"]] == [item_id]


async def test_a_waiting_caller_is_explained_with_the_reason_of_every_agent(counter: Counter) -> None:
    acd = counter.office.acd
    await acd.agent("8001", intent=Intent.NOT_READY, device=Device.IDLE)
    await counter.calls()
    found = await counter.explained(CALL[:6], path=True)
    now = found["now"]
    assert (now["id"], now["state"], now["position"], now["order"]) == (CALL, "waiting", 1, "longest_idle")
    assert [(step["requirement"], step["now"], step["members"]) for step in now["steps"]] == [("sales", True, 2)]
    assert {agent["agent"]: agent["why"] for agent in now["agents"]} == {"8001": "not_ready", "8003": "logged_out"}
    assert found["unmet"] == [{"agent": "8002", "lacks": ["sales"]}]
    assert (found["offers"], found["ended"], found["fault"]) == ([], None, "")


async def test_a_matched_and_ended_item_is_explained_as_it_was_decided(counter: Counter) -> None:
    await counter.office.ready("8002", "8003")
    item_id = await counter.add()
    for agent in ("8002", "8003"):
        (offer,) = (await counter.get(f"/v1/agents/{agent}/offers?wait=5"))["offers"]
        await counter.post(f"/v1/offers/{offer['token']}/{'reject' if agent == '8002' else 'accept'}")
    await counter.post(f"/v1/items/{item_id}/complete")
    found = await counter.explained(item_id, ended=True)
    first, second = found["offers"]
    assert (first["agent"], first["outcome"], second["agent"], second["outcome"]) == (
        "8002",
        "rejected",
        "8003",
        "accepted",
    )
    assert [sorted(candidate) for candidate in first["candidates"]] == [["agent", "idle_ms"]] * 2, (
        "what the order went by"
    )
    assert [candidate["agent"] for candidate in first["candidates"]] == ["8002", "8003"]
    assert (first["by"], first["order"], first["head_start_ms"], first["urgent"]) == ("", "longest_idle", 0, False)
    assert second["passed"] == [{"agent": "8002", "why": "excluded"}]
    assert (found["now"], found["ended"]["reason"]) == (None, "completed")


async def test_a_supervisor_gives_a_caller_to_an_agent_whom_the_queue_would_not_ask(counter: Counter) -> None:
    await counter.calls()
    with pytest.raises(Refused, match="8002 is logged out"):
        await counter.post(f"/v1/items/{CALL}/assign", agent="8002", by="li")
    await counter.office.acd.agent("8002", intent=Intent.READY, device=Device.IDLE)
    await counter.post(f"/v1/items/{CALL}/assign", agent="8002", by="li")
    shown = await counter.get("/v1/queues/sales/waiting")
    assert [(row["id"], row["agents"], row["about"]) for row in shown["others"]] == [(CALL, ["8002"], "+8613800138000")]
    with pytest.raises(Refused, match="8002 is being offered it already"):
        await counter.post(f"/v1/items/{CALL}/assign", agent="8002")


async def test_a_supervisor_puts_a_caller_before_the_others_and_moves_one_out(counter: Counter) -> None:
    other = "02kak3r9sdm4p8"
    await counter.calls()
    await counter.calls(other)
    await counter.post(f"/v1/items/{other}/priority", head_start_s=300, by="li")
    line = (await counter.get("/v1/queues/sales/waiting"))["line"]
    assert [row["id"] for row in line] == [other, CALL]
    await counter.post(f"/v1/items/{CALL}/move", queue="service", by="li")
    (released,) = counter.office.calls
    assert isinstance(released, Released)
    assert (released.item, released.reason, released.queue) == (CALL, "moved", "service")
    with pytest.raises(Refused, match="waits in no queue now"):
        await counter.post(f"/v1/items/{CALL}/withdraw", reason="x")


async def test_who_joins_a_queue_serves_it_at_once_and_who_leaves_does_not(counter: Counter) -> None:
    async def serves() -> list[str]:
        rows = await counter.get("/v1/agents")
        return next(row["queues"] for row in rows if row["id"] == "8001")

    await counter.office.ready("8001")
    item_id = await counter.add("members")
    assert not counter.office.board.desks.of("8001").offers
    await counter.post("/v1/agents/8001/join", queue="members", by="li")
    assert (await counter.office.offered("8001"))["item"]["id"] == item_id
    assert await serves() == ["members"]
    await counter.post("/v1/agents/8001/leave", queue="members")
    assert await serves() == []


async def test_wrap_up_is_made_longer_and_cut_short(counter: Counter) -> None:
    await counter.office.ready("8002")
    item_id = await counter.add()
    (offer,) = (await counter.get("/v1/agents/8002/offers?wait=5"))["offers"]
    await counter.post(f"/v1/offers/{offer['token']}/accept")
    with pytest.raises(Refused, match="8002 wraps nothing up now"):
        await counter.post("/v1/agents/8002/wrapup", skip=True)
    await counter.post(f"/v1/items/{item_id}/complete")
    assert 60_000 < (await counter.post("/v1/agents/8002/wrapup", extend_s=60))["left_ms"] <= 70_000
    await counter.post("/v1/agents/8002/wrapup", skip=True)
    row = next(row for row in await counter.get("/v1/agents") if row["id"] == "8002")
    assert (row["work"], row["hands"]) == ("idle", [])


@pytest.mark.parametrize("word", [{"by": "li"}, {}], ids=["signed", "unsigned"])
async def test_whose_word_about_an_agent_it_was_is_in_the_journal_if_they_said(
    counter: Counter, line: RedisLine, word: dict[str, str]
) -> None:
    await counter.office.ready("8002")
    item_id = await counter.add()
    (offer,) = (await counter.get("/v1/agents/8002/offers?wait=5"))["offers"]
    await counter.post(f"/v1/offers/{offer['token']}/accept")
    await counter.post(f"/v1/items/{item_id}/complete")
    asked: list[tuple[str, dict[str, Any]]] = [
        ("intent", {"intent": "not_ready", "reason": "lunch"}),
        ("join", {"queue": "members"}),
        ("wrapup", {"extend_s": 60}),
    ]
    before = await line.call("XLEN", "hotline:{default}:journal")
    for verb, body in asked:
        await counter.post(f"/v1/agents/8002/{verb}", **body, **word)
    entries = await line.call("XRANGE", "hotline:{default}:journal", "-", "+")
    told = [event for _, fields in entries[before:] if "agent" in (event := orjson.loads(fields[1]))]
    assert [event["type"] for event in told] == ["agent.intent_changed", "agent.skills_changed", "wrapup.changed"]
    assert [{name: event[name] for name in event if name == "by"} for event in told] == [word] * 3


@pytest.mark.parametrize(
    ("path", "body", "status", "why"),
    [
        ("items", {"queue": "mial", "type": "email"}, 404, "did you mean `mail`"),
        ("items", {"queue": "mail"}, 422, "type: Field required"),
        ("items", {"queue": "mail", "type": "call"}, 422, "calls come by telephone"),
        ("items", {"queue": "mail", "type": "a b"}, 422, "type: String should match"),
        ("items", {"queue": "mail", "type": "email", "colour": 1}, 422, "colour: Extra inputs"),
        ("items", {"queue": "mail", "type": "email", "data": "x" * 2048}, 413, "2048 are the most"),
        ("items", {"queue": "mail", "type": "email", "subject": "x" * 201}, 422, "at most 200"),
        ("items/nothing/complete", {}, 404, "no call or item nothing"),
        ("items/nothing/assign", {"agent": "8002"}, 404, "no call or item nothing"),
        (f"items/{CALL}/assign", {"agent": "8020"}, 404, "did you mean `800"),
        (f"items/{CALL}/move", {"queue": "servce"}, 404, "did you mean `service`"),
        (f"items/{CALL}/priority", {"strict": 10}, 422, "less than or equal to 9"),
        (f"items/{CALL}/complete", {}, 404, "no item"),
        ("offers/1-item-x/accept", {}, 409, "no offer 1-item-x any more"),
        (f"offers/1-{CALL}/accept", {}, 409, "no offer"),
        ("agents/9999/join", {"queue": "mail"}, 404, "there are: 8001, 8002, 8003"),
        ("agents/8001/join", {"queue": "sales"}, 409, "nobody joins or leaves it"),
        ("agents/8001/intent", {"intent": "lunch"}, 422, "'logged_out', 'ready' or 'not_ready'"),
        ("agents/8001/wrapup", {}, 422, "either"),
        ("agents/8001/wrapup", {"extend_s": -1}, 422, "greater than 0"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_what_would_do(
    counter: Counter, path: str, body: dict[str, Any], status: int, why: str
) -> None:
    await counter.calls()
    with pytest.raises(Refused, match=why) as refused:
        await counter.post(f"/v1/{path}", **body)
    assert refused.value.status == status


async def test_a_queue_that_is_full_says_so_and_keeps_nothing(counter: Counter) -> None:
    await counter.add()
    with pytest.raises(Refused, match="urgent takes nothing now: full") as refused:
        await counter.add()
    assert refused.value.status == 409
    assert (await counter.get("/v1/items"))["count"] == 1


async def test_two_ids_that_begin_alike_are_asked_about(counter: Counter) -> None:
    await counter.calls("01kakaaa")
    await counter.calls("01kakbbb")
    with pytest.raises(Refused, match="several ids begin with 01kak, such as 01kakaaa and 01kakbbb"):
        await counter.get("/v1/explain/01kak")
    assert (await counter.get("/v1/explain/01kaka"))["id"] == "01kakaaa"


@pytest.mark.parametrize("page", ["items.md", "items.zh-CN.md"])
async def test_the_program_of_the_docs_takes_what_its_agent_is_offered(counter: Counter, page: str) -> None:
    (source,) = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(source, names)  # noqa: S102 - our own page
    handled: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await counter.office.acd.agent("8002", intent=Intent.READY)
    program = asyncio.ensure_future(names["work"](str(counter.socket), "8002", handled.put))
    try:
        for _ in range(2):
            item_id = await counter.add("mail")
            assert (await asyncio.wait_for(handled.get(), SOON_S))["id"] == item_id
        await until(lambda: not counter.office.board.items())
    finally:
        program.cancel()
        await asyncio.wait({program})
