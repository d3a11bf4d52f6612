"""What callers leave behind gets from the journal into the database, and from there to those who deal with it."""

from __future__ import annotations

import pytest

from engine.journal.events import CallbackRequested, CallEnded, SurveyAnswered, VoicemailLeft
from engine.journal.journal import Journal
from engine.journal.ledger import Ledger
from engine.store.database import AmbiguousId, Database
from engine.store.leavings import Leavings, Satisfaction, UnknownLeaving
from engine.store.left_behind import CallbackRow, Closed, LeftRow, SurveyRow, VoicemailRow, left_behind
from engine.store.rows import CallRow
from tests.acd.redis_server import RedisServer
from tests.store.conftest import Until

AT = 1_732_219_404_153
ZHANG, LI = "+8613800138000", "+8613912345678"


def voicemail(voicemail_id: str, *, box: str = "night", left_ms: int = AT, call_id: str = "c1") -> VoicemailRow:
    return VoicemailRow(id=voicemail_id, call_id=call_id, box=box, number=ZHANG, left_ms=left_ms, length_ms=7_000)


def request(callback_id: str, *, number: str = ZHANG, queue: str = "sales", asked_ms: int = AT) -> CallbackRow:
    return CallbackRow(id=callback_id, call_id="c1", queue=queue, number=number, asked_ms=asked_ms)


def ended_call(call_id: str, *, agent: str = "8001", queue: str = "sales") -> CallRow:
    return CallRow(
        id=call_id,
        customer_name="张三",
        queue=queue,
        agent=agent,
        arrived_ms=AT,
        ended_ms=AT,
        end_reason="completed_by_agent",
    )


@pytest.fixture
def leavings(database: Database) -> Leavings:
    return Leavings(database)


async def test_what_a_caller_leaves_comes_out_of_the_journal(
    redis_server: RedisServer, journal: Journal, database: Database, leavings: Leavings, until: Until
) -> None:
    journal.append(VoicemailLeft("c1", AT, "c1-1a2b", "night", ZHANG, 7_000))
    journal.append(CallbackRequested("c1", AT, "c1-3c4d", "sales", LI, AT - 60_000, 300_000, "vip", "en"))
    journal.append(SurveyAnswered("c1", AT, "satisfied", 4))
    journal.append(CallEnded("c1", AT, "completed_by_agent", ended_call("c1")))
    ledger = Ledger(redis_server.url, database, consumer="engine-1")
    await ledger.open()

    async def counted() -> bool:
        return bool(await leavings.satisfaction(0))

    await until(counted)
    await ledger.close()
    (left,) = await leavings.voicemails()
    assert (left.id, left.call_id, left.box, left.number, left.name) == ("c1-1a2b", "c1", "night", ZHANG, "张三")
    assert (left.left_ms, left.length_ms, left.heard_ms) == (AT, 7_000, None)
    (wanted,) = await leavings.callbacks()
    assert (wanted.id, wanted.queue, wanted.number, wanted.asked_ms, wanted.state) == (
        "c1-3c4d",
        "sales",
        LI,
        AT,
        "requested",
    )
    terms = (wanted.placed_ms, wanted.head_start_ms, wanted.require, wanted.language)
    assert terms == (AT - 60_000, 300_000, "vip", "en")
    assert await leavings.satisfaction(AT) == [Satisfaction("satisfied", "sales", "8001", 1, 4.0)]


async def test_an_entry_that_is_written_twice_leaves_one_row(database: Database, leavings: Leavings) -> None:
    rows: list[LeftRow] = [
        voicemail("v1"),
        request("b1"),
        SurveyRow(call_id="c1", question="satisfied", score=5, answered_ms=AT),
    ]
    for _ in range(2):
        await database.record([], rows)
    assert len(await leavings.voicemails()) == len(await leavings.callbacks()) == 1


async def test_of_one_number_only_one_request_a_queue_is_open(database: Database, leavings: Leavings) -> None:
    await database.record([], [request("b1"), request("b2"), request("b3", queue="service"), request("b4", number=LI)])
    assert {row.id for row in await leavings.callbacks()} == {"b1", "b3", "b4"}


async def test_who_was_called_back_may_ask_again(database: Database, leavings: Leavings) -> None:
    await database.record([], [request("b1")])
    await leavings.close_callback("b1", Closed.DONE, "8001")
    await database.record([], [request("b1"), request("b2", asked_ms=AT + 1)])
    assert [row.id for row in await leavings.callbacks()] == ["b2"]
    assert [(row.id, row.state) for row in await leavings.callbacks(all_=True)] == [("b2", "requested"), ("b1", "done")]


async def test_the_longest_waiting_request_comes_first(database: Database, leavings: Leavings) -> None:
    await database.record([], [request("b1", asked_ms=AT), request("b2", number=LI, asked_ms=AT - 1)])
    assert [row.id for row in await leavings.callbacks(queue="sales")] == ["b2", "b1"]
    assert await leavings.callbacks(queue="service") == []


async def test_how_far_a_request_has_got_is_written_until_it_is_closed(database: Database, leavings: Leavings) -> None:
    far: dict[str, int | str | None] = {"state": "waiting", "attempts": 1, "next_ms": AT + 1, "reason": "busy"}
    assert not await leavings.note_callback("b1", far), "the ledger has not written it yet"
    await database.record([], [request("b1")])
    assert await leavings.note_callback("b1", far)
    row = await leavings.callback("b1")
    assert row is not None
    assert (row.state, row.attempts, row.next_ms, row.reason) == ("waiting", 1, AT + 1, "busy")
    await leavings.close_callback("b1", Closed.DONE, "8001")
    assert await leavings.note_callback("b1", far)
    assert [row.state for row in await leavings.callbacks(all_=True)] == ["done"]
    assert await leavings.callback("b2") is None


async def test_a_request_is_closed_once(database: Database, leavings: Leavings) -> None:
    await database.record([], [request("b1")])
    closed = await leavings.close_callback("b", Closed.CANCELLED, "8001")
    assert (closed.state, closed.closed_by) == ("cancelled", "8001")
    with pytest.raises(ValueError, match="b1 is cancelled already"):
        await leavings.close_callback("b1", Closed.DONE, "8002")


async def test_the_first_who_listens_is_remembered(database: Database, leavings: Leavings) -> None:
    await database.record([], [voicemail("v1"), voicemail("v2", left_ms=AT + 1)])
    await leavings.heard("v1", "8001")
    await leavings.heard("v1", "8002")
    assert [row.heard_by for row in await leavings.voicemails()] == ["", "8001"]
    assert [row.id for row in await leavings.voicemails(unheard=True)] == ["v2"]


async def test_voicemails_are_listed_by_box_and_the_latest_first(database: Database, leavings: Leavings) -> None:
    await database.record(
        [], [voicemail("v1"), voicemail("v2", left_ms=AT + 1), voicemail("v3", box="sales", left_ms=AT + 2)]
    )
    assert [row.id for row in await leavings.voicemails()] == ["v3", "v2", "v1"]
    assert [row.id for row in await leavings.voicemails(box="night", limit=1)] == ["v2"]
    assert [row.id for row in await leavings.voicemails_before(AT + 2)] == ["v1", "v2"]


async def test_a_forgotten_voicemail_is_gone(database: Database, leavings: Leavings) -> None:
    await database.record([], [voicemail("v1"), voicemail("v2")])
    await leavings.forget_voicemail("v1")
    assert await leavings.known_voicemails(["v1", "v2", "v3"]) == {"v2"}


async def test_an_id_that_nobody_has_is_said_to_be_unknown(database: Database, leavings: Leavings) -> None:
    await database.record([], [voicemail("v1"), voicemail("v12"), voicemail("v13")])
    with pytest.raises(UnknownLeaving, match="no voicemail x"):
        await leavings.voicemail("x")
    with pytest.raises(AmbiguousId, match="Several voicemails begin with 'v'"):
        await leavings.voicemail("v")
    assert (await leavings.voicemail("v1")).id == "v1"
    with pytest.raises(UnknownLeaving, match="no callback x"):
        await leavings.close_callback("x", Closed.DONE, "8001")


async def test_answers_are_averaged_by_question_queue_and_agent(database: Database, leavings: Leavings) -> None:
    answers = [("c1", 5, AT), ("c2", 4, AT), ("c3", 1, AT), ("c4", 1, AT - 1)]
    await database.record(
        [],
        [
            ended_call("c1"),
            ended_call("c2"),
            ended_call("c3", agent="8002"),
            ended_call("c4"),
            *(SurveyRow(call_id=c, question="satisfied", score=score, answered_ms=at) for c, score, at in answers),
        ],
    )
    assert await leavings.satisfaction(AT) == [
        Satisfaction("satisfied", "sales", "8001", 2, 4.5),
        Satisfaction("satisfied", "sales", "8002", 1, 1.0),
    ]


@pytest.mark.parametrize("kind", ["voicemail.left", "callback.requested", "survey.answered", "call.answered"])
@pytest.mark.parametrize("data", [{}, {"voicemail": "", "box": "", "queue": None}, {"callback": [], "score": "many"}])
def test_an_event_that_lacks_what_makes_a_row_makes_none(kind: str, data: dict[str, object]) -> None:
    assert left_behind(kind, "c1", AT, data) is None
