"""The commands for what callers leave behind, against an engine with canned answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from engine.cli import common
from engine.host.state import State
from tests.unit.command_line import row, run
from tests.unit.fake_engine import FakeEngine

LEFT_MS = 1_763_761_507_000
VOICEMAIL: dict[str, Any] = {
    "id": "01kak3r9sdm4p7-1a2b",
    "call_id": "01kak3r9sdm4p7",
    "box": "night",
    "number": "+8613800138000",
    "name": "欧阳[/]娜娜",
    "left_ms": LEFT_MS,
    "length_ms": 7_000,
    "heard_ms": None,
    "heard_by": "",
    "file": "/var/lib/hotline/recordings/voicemail/night/01kak3r9sdm4p7-1a2b.wav",
}
HEARD = VOICEMAIL | {"id": "01kak3r9sdm4p8-3c4d", "number": "", "name": "", "heard_ms": LEFT_MS, "heard_by": "8001"}
CALLBACK: dict[str, Any] = {
    "id": "01kak3r9sdm4p7-5e6f",
    "call_id": "01kak3r9sdm4p7",
    "queue": "sales",
    "number": "+8613912345678",
    "name": "李四",
    "asked_ms": LEFT_MS,
    "state": "waiting",
    "attempts": 1,
    "next_ms": 4_000_000_000_000,
    "reason": "no_answer",
    "closed_ms": None,
    "closed_by": "",
}
CLOSED = CALLBACK | {"id": "b2", "state": "done", "closed_ms": LEFT_MS + 200_000, "closed_by": "8001", "reason": ""}
TRIED = {
    "type": "callback.failed",
    "call": "callback-1a2b",
    "at": LEFT_MS,
    "callback": CALLBACK["id"],
    "reason": "no_answer",
    "attempt": 1,
    "again_ms": LEFT_MS + 600_000,
    "tech_cause": 480,
}
ANSWER = {"question": "satisfaction", "queue": "sales", "agent": "8001", "answers": 12, "average": 1.5}
WAITING = {
    "id": "01kak3r9sdm4p7-0123456789ab",
    "call": "01kak3r9sdm4p7",
    "event": "voicemail",
    "to": "13912345678",
    "text": "nobody's business",
    "queued_ms": LEFT_MS,
    "tries": 3,
    "fault": "HTTP 503",
}
ANSWERS: dict[str, Any] = {
    "/v1/voicemails": [VOICEMAIL, HEARD],
    "/v1/voicemails/01kak": VOICEMAIL,
    "/v1/callbacks": [CALLBACK, CLOSED],
    "/v1/callbacks/01kak": CALLBACK | {"events": [TRIED], "names": {"8001": "李雷"}},
    "/v1/surveys": [ANSWER],
    "/v1/messages": {"endpoint": "http://127.0.0.1:9090/messages", "waiting": 1, "first": [WAITING]},
}


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common.console, "width", common.WIDE)


@pytest.mark.usefixtures("engine")
def test_voicemails_are_listed_with_who_left_them_and_who_has_listened(state: State) -> None:
    said = run(state, "voicemail")
    assert "+8613800138000 欧阳[/]娜娜" in row(said, VOICEMAIL["id"])
    assert "7.0 s" in row(said, VOICEMAIL["id"])
    assert "anonymous" in row(said, HEARD["id"])
    assert "by 8001" in row(said, HEARD["id"])


@pytest.mark.usefixtures("engine")
def test_a_voicemail_is_shown_with_its_call_and_its_recording(state: State) -> None:
    said = run(state, "voicemail", "show", "01kak")
    assert VOICEMAIL["file"] in said
    assert "hotline call 01kak3r9sdm4p7" in said
    assert "not yet" in said


def test_a_voicemail_is_copied_out(state: State, engine: FakeEngine, tmp_path: Path) -> None:
    file = tmp_path / "1.wav"
    file.write_bytes(b"RIFF")
    engine.answers["/v1/voicemails/01kak"] = VOICEMAIL | {"file": str(file)}
    assert run(state, "voicemail", "play", "01kak").strip() == str(file)
    copy = tmp_path / "copy.wav"
    assert run(state, "voicemail", "play", "01kak", "--to", str(copy)).strip() == str(copy)
    assert copy.read_bytes() == b"RIFF"
    assert "cannot copy to" in run(state, "voicemail", "play", "01kak", "--to", "/nowhere/x.wav", code=1)


@pytest.mark.usefixtures("engine")
def test_a_recording_that_is_gone_is_said_to_be(state: State) -> None:
    assert "is gone" in run(state, "voicemail", "play", "01kak", code=1)


def test_what_is_dealt_with_is_told_to_the_engine_with_who_did_it(state: State, engine: FakeEngine) -> None:
    engine.accepted = {"id": "x", "number": "+8613912345678"}
    run(state, "voicemail", "heard", "01kak", "--by", "8001")
    run(state, "voicemail", "delete", "01kak", "--by", "8001")
    assert "+8613912345678 is done" in run(state, "callbacks", "done", "01kak", "--by", "8001")
    assert "is cancelled" in run(state, "callbacks", "cancel", "a/b", "--by", "8001")
    assert engine.posted == [
        ("/v1/voicemails/01kak/heard", {"by": "8001"}),
        ("/v1/voicemails/01kak/delete", {"by": "8001"}),
        ("/v1/callbacks/01kak", {"state": "done", "by": "8001"}),
        ("/v1/callbacks/a/b", {"state": "cancelled", "by": "8001"}),
    ]


@pytest.mark.usefixtures("engine")
def test_callbacks_say_how_long_they_have_waited_and_who_closed_them(state: State) -> None:
    said = run(state, "callbacks", "--all")
    assert "+8613912345678 李四" in row(said, CALLBACK["id"])
    assert "3 min 20 s" in row(said, "done by 8001")
    assert "waiting (no answer) until 2096-10-0" in row(said, CALLBACK["id"])


@pytest.mark.usefixtures("engine")
def test_a_callback_is_shown_with_what_became_of_it(state: State) -> None:
    said = run(state, "callbacks", "show", "01kak")
    assert f"{CALLBACK['id']}: +8613912345678, sales, waiting (no answer) until 2096-10-0" in said
    assert "try 1 failed: no answer (SIP 480); the next try comes in 10 min 00 s" in said


@pytest.mark.usefixtures("engine")
def test_answers_are_shown_with_their_average(state: State) -> None:
    assert row(run(state, "surveys"), "satisfaction").split() == ["satisfaction", "sales", "8001", "12", "1.50"]


@pytest.mark.usefixtures("engine")
def test_messages_that_wait_say_why_and_not_what(state: State) -> None:
    said = run(state, "messages")
    assert "1 wait for http://127.0.0.1:9090/messages" in said
    assert "HTTP 503" in row(said, "0123456789ab")
    assert "nobody's business" not in said


def test_without_an_endpoint_the_admin_is_told_where_to_name_one(state: State, engine: FakeEngine) -> None:
    engine.answers["/v1/messages"] = {"endpoint": "", "waiting": 0, "first": []}
    assert "messages: {url:" in run(state, "messages")


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("command", ["voicemail", "callbacks", "surveys", "messages"])
def test_programs_get_json(state: State, command: str) -> None:
    path = f"/v1/{'voicemails' if command == 'voicemail' else command}"
    assert orjson.loads(run(state, command, "--json")) == ANSWERS[path]
