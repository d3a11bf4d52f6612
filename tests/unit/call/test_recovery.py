"""An engine takes over what its predecessor has left: nothing of it keeps anybody else from going on."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.acd import Acd, ItemState, Offer
from engine.asterisk.ari import AriError
from engine.call.callbacks import Callbacks
from engine.call.calls import Calls
from engine.call.phase import Phase
from engine.call.record import CallRecord
from engine.call.recovery import Recovery
from engine.items import Board
from engine.redis_line import LineDown
from tests.unit.test_node_refusal import node

LEG = {"exten": "s", "app_data": "hotline"}
CALLER = {"exten": "4008001234", "app_data": "hotline"}


class Leg:
    """As much of a caller's leg as is asked before their call goes on."""

    def __init__(self, channel: str) -> None:
        self.id, self.music = channel, ""

    async def hold_music(self, _: bool, music: str) -> None:
        self.music = music


class Call:
    """A call that somebody has begun, on a site whose only queue is `sales`."""

    def __init__(self, leg: Leg, record: CallRecord, told: list[str]) -> None:
        self.leg, self.record, self.item, self._told = leg, record, record.item_id, told

    @property
    def music(self) -> str:
        return {"sales": "jazz"}[self.record.queue]

    def recovered(self) -> None:
        self._told.append(f"{self.item} goes on")


class Office:
    """What an engine has when it starts; `redis_away`: so often it does not say what the ACD has."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *items: ItemState, redis_away: int = 0) -> None:
        self.told: list[str] = []
        self.calls: dict[str, Call] = {}
        self._away, self._items = redis_away, items
        at = node()
        monkeypatch.setattr(at.ari, "send", self._send)
        monkeypatch.setattr(at, "adopt_caller", lambda about: Leg(about["id"]))
        monkeypatch.setattr(at, "arrive", lambda about: self.told.append(f"{about['id']} begins"))
        monkeypatch.setattr(at, "bridges", self._bridges)
        calls = SimpleNamespace(of=self._of, start=lambda *_: None, hold=lambda _: None, records=list)
        nothing = SimpleNamespace(take_over=self._take_over)
        self.recovery = Recovery(
            cast(Calls, calls), at, cast(Acd, self), cast(Board, nothing), cast(Callbacks, nothing)
        )

    def _of(self, leg: Leg, record: CallRecord, _: object) -> Call:
        call = self.calls[record.id] = Call(leg, record, self.told)
        return call

    def _send(self, method: str, uri: str, *_: Any, **__: Any) -> asyncio.Future[None]:
        """Asterisk does not answer in time."""
        self.told.append(f"{method} {uri}")
        late: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        late.set_exception(AriError("no answer in time"))
        return late

    async def _bridges(self) -> list[str]:
        return []

    async def _take_over(self, _: object) -> None:
        pass

    # The ACD.

    async def adopt(self) -> list[ItemState]:
        if self._away:
            self._away -= 1
            raise LineDown("gone")
        return list(self._items)

    async def withdraw(self, item: str, *, reason: str) -> bool:
        self.told.append(f"{item} is withdrawn: {reason}")
        return True

    async def miss(self, token: str, *_: Any, **__: Any) -> bool:
        self.told.append(f"{token} is missed")
        return True


def record_of(call: str, phase: Phase = Phase.WAITING, *, queue: str = "sales", queued_ms: int = 1) -> CallRecord:
    return CallRecord(call, f"{call}-leg", "4008001234", phase=phase, queue=queue, queued_ms=queued_ms)


def item_of(call: str) -> ItemState:
    offer = Offer(f"1-{call}", call, "8001", "sales", 1)
    return ItemState(call, "sales", "call", "offered", (offer,), 1, 1, "")


async def test_a_leg_whose_end_is_not_answered_keeps_nobody_from_going_on(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(monkeypatch)
    record = record_of("1abc")
    office.recovery.expect([record])
    async with asyncio.timeout(2):
        await office.recovery.take_over(
            [record],
            [
                {"id": "1abc-leg", "dialplan": CALLER},
                {"id": "agent-1", "dialplan": LEG},
                {"id": "new", "dialplan": CALLER},
            ],
        )
    assert office.told == ["DELETE channels/agent-1", "new begins", "1abc goes on"]
    assert not office.recovery.expects("1abc"), "what the ACD tells of it would be thrown away"


async def test_a_queue_that_is_gone_keeps_nobody_from_their_music(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(monkeypatch, redis_away=1)
    records = [record_of("1abc", queue="closed_down"), record_of("2abc")]
    async with asyncio.timeout(2):
        await office.recovery.take_over(records, [{"id": f"{r.id}-leg", "dialplan": CALLER} for r in records])
    assert [office.calls[record.id].leg.music for record in records] == ["", "jazz"]
    assert office.told == ["1abc goes on", "2abc goes on"]


async def test_whoever_left_a_line_while_redis_was_away_does_not_stand_in_it_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office = Office(monkeypatch, item_of("1abc"), item_of("2abc"))
    records = [record_of("1abc", Phase.FLOW), record_of("2abc")]
    async with asyncio.timeout(2):
        await office.recovery.take_over(records, [{"id": f"{r.id}-leg", "dialplan": CALLER} for r in records])
    assert office.told == [
        "1abc goes on",
        "1abc is withdrawn: engine_restarted",
        "1-2abc is missed",
        "2abc goes on",
    ]
