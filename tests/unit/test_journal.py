from typing import Any

import orjson
import pytest

from engine.journal.events import CallAnswered, IvrDigit, encode
from engine.journal.journal import Journal
from engine.journal.ledger import _rows
from engine.redis_line import LineDown, RedisLine
from engine.store.rows import CallRow


class RecordingLine(RedisLine):
    """A line that goes nowhere and remembers; `down` says how many calls it fails first."""

    def __init__(self, down: int = 0) -> None:
        super().__init__("unix:///nowhere")
        self.sent: list[tuple[str | bytes | int, ...]] = []
        self.down = down

    def post(self, *command: str | bytes | int) -> None:
        self.sent.append(command)

    async def call(self, *command: str | bytes | int, **_: Any) -> Any:
        if self.down:
            self.down -= 1
            raise LineDown("away")
        self.sent.append(command)


def test_events_are_posted_in_order_to_the_stream_of_the_domain() -> None:
    line = RecordingLine()
    journal = Journal(line, "north")
    events = [CallAnswered("c1", 1), IvrDigit("c1", 2, "1")]
    for event in events:
        journal.append(event)
    head = ("XADD", "hotline:{north}:journal", "MAXLEN", "~", "1000000", "*", "e")
    assert line.sent == [(*head, encode(event)) for event in events]


async def test_what_must_arrive_is_sent_again_while_redis_is_away() -> None:
    line = RecordingLine(down=2)
    await Journal(line).append_surely(CallAnswered("c1", 1), deadline_s=5)
    assert len(line.sent) == 1


async def test_what_must_arrive_is_given_up_at_the_deadline() -> None:
    with pytest.raises(TimeoutError):
        await Journal(RecordingLine(down=1_000_000)).append_surely(CallAnswered("c1", 1), deadline_s=0.05)


@pytest.mark.parametrize("payload", [b"\xff\xfe", b"[1]", b"not json", b'{"type":"call.ended","call":"c1"'])
def test_an_entry_that_cannot_be_read_is_kept_as_it_came(payload: bytes) -> None:
    events, ended = _rows([(b"1732219404153-7", [b"e", payload])])
    ((stream_id, call_id, at_ms, kind, data),) = events
    assert (stream_id, call_id, at_ms, kind) == ("1732219404153-7", "", 1_732_219_404_153, "unreadable")
    assert orjson.loads(data)["entry"] == payload.decode("utf-8", "replace")
    assert ended == []


def test_a_call_that_ended_without_a_record_still_has_its_row() -> None:
    _, (row,) = _rows([(b"5-0", [b"e", b'{"type":"call.ended","call":"c1","at":9,"reason":"shutdown"}'])])
    assert isinstance(row, CallRow)
    assert (row.id, row.arrived_ms, row.ended_ms, row.end_reason) == ("c1", 9, 9, "shutdown")
