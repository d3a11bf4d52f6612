"""What was last said of each agent is in the database, for when Redis has lost it."""

from __future__ import annotations

from typing import Any

from engine.store.database import Database
from engine.store.last_said import LastSaid, SaidRow, read_last_said, said_row


def intent(agent: str, intent: str, reason: str, at_ms: int) -> SaidRow:
    row = said_row("agent.intent_changed", at_ms, {"agent": agent, "intent": intent, "reason": reason, "at": at_ms})
    assert row is not None
    return row


def skills(agent: str, at_ms: int, **levels: int) -> SaidRow:
    row = said_row("agent.skills_changed", at_ms, {"agent": agent, "skills": levels, "at": at_ms})
    assert row is not None
    return row


async def test_the_newest_word_stays_however_late_an_older_one_is_written(database: Database) -> None:
    await database.record([], [intent("8001", "ready", "default", 10), skills("8001", 11, english=2)])
    await database.record([], [intent("8001", "not_ready", "lunch", 30), intent("8002", "ready", "by hand", 5)])
    await database.record([], [intent("8001", "ready", "by hand", 20), skills("8001", 9)])
    assert await read_last_said(database) == {
        "8001": LastSaid("not_ready", "lunch", 30, {"english": 2}),
        "8002": LastSaid("ready", "by hand", 5),
    }


async def test_of_one_batch_the_last_word_counts(database: Database) -> None:
    await database.record([], [intent("8001", "not_ready", "lunch", 10), intent("8001", "ready", "by hand", 10)])
    assert (await read_last_said(database))["8001"].intent == "ready"


async def test_whoever_a_reload_has_removed_has_said_nothing(database: Database) -> None:
    await database.record([], [skills("8001", 5, english=2), intent("8001", "logged_out", "removed", 10)])
    assert await read_last_said(database) == {}


def test_only_words_about_an_agent_are_kept() -> None:
    others: list[tuple[str, dict[str, Any]]] = [
        ("agent.device_changed", {"agent": "8001", "device": "idle"}),
        ("agent.intent_changed", {"intent": "ready"}),
        ("agent.intent_changed", {"agent": 7, "intent": "ready"}),
    ]
    assert [said_row(kind, 1, data) for kind, data in others] == [None, None, None]
