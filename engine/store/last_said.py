"""What was last said of each agent, whoever said it: Redis knows, until it is emptied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine.store.rows import storable_text
from engine.store.tables import last_said

if TYPE_CHECKING:
    from engine.store.database import Database

_ABOUT = {"agent.intent_changed": "intent", "agent.skills_changed": "skills"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidRow:
    """`about`: intent or skills; `said`: the event of it, as it is in the journal."""

    agent: str
    about: str
    said: Mapping[str, Any]
    at_ms: int


def said_row(kind: str, at_ms: int, data: Mapping[str, Any]) -> SaidRow | None:
    """The row of an event; None for every other event, and for one that names no agent."""
    agent, about = data.get("agent"), _ABOUT.get(kind)
    if about is None or not isinstance(agent, str) or not agent:
        return None
    return SaidRow(agent=storable_text(agent), about=about, said=data, at_ms=at_ms)


@dataclass(frozen=True, slots=True)
class LastSaid:
    """Of one agent: what they want, and since when; which skills differ from the configuration."""

    intent: str = ""
    reason: str = ""
    since_ms: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)


async def read_last_said(database: Database) -> dict[str, LastSaid]:
    """By agent. Whoever was removed by a reload has said nothing since. Raises DatabaseDown."""
    said: dict[str, dict[str, Any]] = {}
    for row in await database.rows(select(last_said)):
        said.setdefault(row.agent, {})[row.about] = row
    return {agent: read for agent, about in said.items() if (read := _read(about)).reason != "removed"}


def _read(about: Mapping[str, Any]) -> LastSaid:
    intent, skills = about.get("intent"), about.get("skills")
    changed = skills.said.get("skills", {}) if skills is not None else {}
    if intent is None:
        return LastSaid(skills=changed)
    said = intent.said
    return LastSaid(str(said.get("intent", "")), str(said.get("reason", "")), intent.at_ms, changed)
