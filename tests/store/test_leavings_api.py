"""What the API answers to those who deal with what callers left behind: a real socket, a real database."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from engine.api.client import Refused, ask
from engine.api.server import Api
from engine.app import Engine
from engine.callbacks import item_of
from engine.config.models import MessagesSettings
from engine.journal.events import CallbackClosed, Event, VoicemailDeleted, VoicemailHeard
from engine.messages.outbox import Message, Outbox
from engine.redis_line import RedisLine
from engine.store.database import Database
from engine.store.left_behind import CallbackRow, SurveyRow, VoicemailRow
from engine.store.rows import CallRow
from engine.store.writers import Row
from engine.voicemail import Mailboxes

AT = 1_732_219_404_153
ZHANG = "+8613800138000"


class Office:
    """An engine as far as the API's part needs one."""

    def __init__(self, folder: Path, database: Database, line: RedisLine) -> None:
        self.noted: list[Event] = []
        self.by_hand: list[tuple[str, ...]] = []
        self.socket = folder / "api.sock"
        self.recordings = folder / "voicemail"
        note = self.noted.append
        hotline = SimpleNamespace(messages=MessagesSettings(url="http://127.0.0.1:9/messages"))
        self.engine: Any = SimpleNamespace(
            database=database,
            mailboxes=Mailboxes(self.recordings, database, keep_s=1e9, note=note, is_active=lambda _: False),
            outbox=Outbox(line),
            journal=SimpleNamespace(append=note),
            board=SimpleNamespace(site=SimpleNamespace(hotline=hotline, agents={"8001": SimpleNamespace(name="李雷")})),
            callbacks=SimpleNamespace(closed_by_hand=lambda *word: self.by_hand.append(word)),
        )

    async def get(self, path: str) -> Any:
        return await ask(self.socket, path)

    async def post(self, path: str, **body: str) -> Any:
        return await ask(self.socket, path, body=body)


@pytest.fixture
async def office(database: Database, line: RedisLine) -> AsyncIterator[Office]:
    folder = Path(tempfile.mkdtemp(prefix="hl-"))  # Unix sockets have short names
    office = Office(folder, database, line)
    call = CallRow(
        id="c1", customer_name="张三", queue="sales", agent="8001", arrived_ms=AT, ended_ms=AT, end_reason="x"
    )
    rows: list[Row] = [
        call,
        VoicemailRow(id="c1-1a2b", call_id="c1", box="night", number=ZHANG, left_ms=AT, length_ms=7_000),
        CallbackRow(id="c1-3c4d", call_id="c1", queue="sales", number=ZHANG, asked_ms=AT),
        SurveyRow(call_id="c1", question="satisfaction", score=2, answered_ms=AT),
    ]
    await database.record([], rows)
    api = Api(cast(Engine, office.engine))
    await api.open(office.socket)
    yield office
    await api.close()
    shutil.rmtree(folder)


async def test_a_voicemail_is_found_heard_and_deleted(office: Office) -> None:
    (listed,) = await office.get("/v1/voicemails?box=night&unheard=1&limit=5")
    one = await office.get("/v1/voicemails/c1")
    assert listed["name"] == "张三"
    assert one["file"] == listed["file"] == str(office.recordings / "night/c1-1a2b.wav")
    await office.post("/v1/voicemails/c1/heard", by="8001")
    assert await office.get("/v1/voicemails?unheard=1") == []
    (heard,) = await office.get("/v1/voicemails")
    assert heard["heard_by"] == "8001"
    await office.post("/v1/voicemails/c1/delete", by="8001")
    assert await office.get("/v1/voicemails") == []
    assert [type(event) for event in office.noted] == [VoicemailHeard, VoicemailDeleted]


async def test_a_callback_is_closed_once_and_the_call_knows_it(office: Office) -> None:
    (listed,) = await office.get("/v1/callbacks?queue=sales")
    assert (listed["number"], listed["state"]) == (ZHANG, "requested")
    assert (await office.post("/v1/callbacks/c1", state="done", by="8001"))["state"] == "done"
    with pytest.raises(Refused, match="is done already"):
        await office.post("/v1/callbacks/c1", state="done", by="8002")
    assert await office.get("/v1/callbacks") == []
    assert [row["closed_by"] for row in await office.get("/v1/callbacks?all=1")] == ["8001"]
    (closed,) = office.noted
    assert isinstance(closed, CallbackClosed)
    assert (closed.call, closed.callback, closed.state, closed.by) == ("c1", "c1-3c4d", "done", "8001")
    assert office.by_hand == [(item_of("sales", ZHANG), "done", "8001")]


async def test_a_callback_is_shown_with_its_own_events_and_not_with_those_of_another_day(
    office: Office, database: Database
) -> None:
    item = item_of("sales", ZHANG)
    data = orjson.dumps({"type": "callback.dialled", "call": item}).decode()
    days = [AT - 86_400_000, AT + 5_000]
    await database.record([(f"{at}-0", item, at, "callback.dialled", data) for at in days], [])
    shown = await office.get("/v1/callbacks/c1")
    assert [event["id"] for event in shown["events"]] == [f"{AT + 5_000}-0"]
    assert (shown["number"], shown["names"]) == (ZHANG, {"8001": "李雷"})


async def test_answers_of_the_days_asked_for_are_averaged(office: Office) -> None:
    (row,) = await office.get("/v1/surveys?days=inf")
    assert (row["queue"], row["agent"], row["answers"], row["average"]) == ("sales", "8001", 1, 2.0)
    assert await office.get("/v1/surveys?days=1") == []


async def test_messages_that_wait_are_listed(office: Office) -> None:
    message = Message("m1", "c1", "message", ZHANG, "hello", queued_ms=AT, tries=2, fault="HTTP 503")
    await office.engine.outbox.put(message)
    answer = await office.get("/v1/messages")
    assert (answer["endpoint"], answer["waiting"]) == ("http://127.0.0.1:9/messages", 1)
    assert [(row["id"], row["fault"]) for row in answer["first"]] == [("m1", "HTTP 503")]


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("/v1/voicemails/x", None, "no voicemail x"),
        ("/v1/voicemails/x/heard", {"by": "8001"}, "no voicemail x"),
        ("/v1/callbacks/x", {"state": "done"}, "no callback x"),
        ("/v1/callbacks/c1", {"state": "requested"}, "done, cancelled"),
        ("/v1/callbacks/c1", ["done"], "the body is a JSON object"),
        ("/v1/surveys?days=many", None, "could not convert"),
        ("/v1/voicemails?limit=x", None, "invalid literal"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_a_sentence(office: Office, path: str, body: Any, why: str) -> None:
    with pytest.raises(Refused, match=why):
        await ask(office.socket, path, body=body)
