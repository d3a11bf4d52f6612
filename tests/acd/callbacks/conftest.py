"""A room for every test, with people at work or without."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.call import callbacks as room
from engine.redis_line import RedisLine
from engine.store.database import Database
from tests.acd.callbacks.room import (
    Room,
    Try,
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'hotline.db'}")
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def desk(line: RedisLine, database: Database, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(room, "Try", Try)
    desk = Room(line, database)
    await desk.acd.load()
    return desk


@pytest.fixture
async def office(desk: Room) -> Room:
    """During the day, with an agent who is on a break."""
    await desk.opens()
    await desk.staff({"8001": {}}, ready=False)
    return desk
