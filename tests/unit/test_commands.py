"""The commands that look at a hotline, on a terminal and without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.cli import common
from engine.host.state import State
from tests.unit.command_line import said
from tests.unit.fake_engine import FakeEngine

PROJECT = Path(__file__).resolve().parents[2]
CALL_ID = "01kak3r9sdm4p7"
CALL: dict[str, Any] = {
    "id": CALL_ID,
    "arrived_ms": 1_763_761_507_000,
    "number": "+8613800138000",
    "presentation": "allowed",
    "customer_name": "欧阳[/]娜娜",  # brackets are rich's mark-up; from a company's own system they are a name
    "queue": "service",
    "agent": "8002",
    "outside": "",
    "wait_ms": 200_000,
    "talk_ms": 3_000_000,
    "end_reason": "abandoned_waiting",
}
AGENT = {
    "id": "8001",
    "name": "李雷",
    "skills": {"sales": 8, "mandarin": 10},
    "intent": "not_ready",
    "reason": "training",
    "device": "idle",
    "work": "talking",
    "since_ms": 1_763_761_507_000,
    "item": CALL_ID,
    "hands": [{"kind": "voice", "work": "talking", "since_ms": 1_763_761_507_000, "until_ms": 0, "item": CALL_ID}],
    "cool_until_ms": 0,
    "idle_since_ms": 0,
    "queues": ["vip"],
    "program": False,
}
QUEUE = {"queue": "sales", "requirement": "sales", "waiting": 0, "oldest_wait_ms": 0, "ready": 2}
ANSWERS = {"/v1/calls": {"active": [], "ended": [CALL]}, "/v1/agents": [AGENT], "/v1/queues": [QUEUE]}


def width(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr(common.console, "width", columns)


@pytest.mark.usefixtures("engine")
def test_without_a_terminal_every_row_is_one_line_and_nothing_is_cut(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    width(monkeypatch, common.WIDE)
    (row,) = [line for line in said("calls", "--state", str(state.folder)).splitlines() if CALL_ID in line]
    for text in ("+8613800138000", "欧阳[/]娜娜", "service, 8002", "3 min 20 s", "50 min 00 s", "abandoned waiting"):
        assert text in row
    (row,) = [line for line in said("agents", "--state", str(state.folder)).splitlines() if CALL_ID in line]
    for text in ("8001", "李雷", "sales 8, mandarin 10", "not ready (training)", "talking"):
        assert text in row


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("command", ["calls", "agents"])
def test_on_eighty_columns_cells_are_folded_and_the_ids_to_be_typed_are_whole(
    command: str, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    width(monkeypatch, 80)
    text = said(command, "--state", str(state.folder))
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert CALL_ID in text


@pytest.mark.usefixtures("engine")
def test_a_queue_shows_who_is_ready_before_its_first_caller(state: State) -> None:
    row = next(line for line in said("queues", "--state", str(state.folder)).splitlines() if "sales" in line)
    assert row.split() == ["sales", "sales", "0", "2"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_the_state_may_be_named_before_and_after_the_subcommand(after: bool, state: State, engine: FakeEngine) -> None:
    where = ["--state", str(state.folder)]

    def run(*words: str) -> str:
        return said("agents", *words, *where) if after else said("agents", *where, *words)

    assert state.secret("phone-8001") in run("credentials", "8001", "--site", str(PROJECT))
    run("not-ready", "8001", "--reason", "lunch")
    run("ready", "8001")
    assert [(path, body["intent"]) for path, body in engine.posted] == [
        ("/v1/agents/8001/intent", "not_ready"),
        ("/v1/agents/8001/intent", "ready"),
    ]


def test_check_says_what_it_looked_at() -> None:
    text = said("check", "--site", str(PROJECT))
    for part in ("no faults", "4008001234", "main, member, night", "sales-south", "agents: 3"):
        assert part in text
