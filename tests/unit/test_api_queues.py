"""What the API says of the queues: counted from the agents there are, whether or not a call ever came."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.acd.states import Accuracy, AgentState, Device, Hand, Intent, QueueState, Work
from engine.api.client import ask
from engine.api.server import Api
from engine.app import Engine
from engine.config import site as sites

SMALL = Path(__file__).parent / "small_site"


class Agents:
    """The ACD as the API sees it: three agents, all ready, and no queue that ever had an item."""

    def __init__(self) -> None:
        self.states = {
            user: AgentState(user, Intent.READY, "default", Device.IDLE, (), 0, 1, 0, 0, 0, ("voice",))
            for user in ("8001", "8002", "8003", "former")
        }
        self.live: list[QueueState] = []
        self.changed: dict[str, dict[str, int]] = {}

    def change(self, user: str, **axes: Any) -> None:
        before = self.states[user]
        self.states[user] = AgentState(**{name: getattr(before, name) for name in before.__slots__} | axes)

    async def agents(self) -> list[AgentState]:
        return list(self.states.values())

    async def changed_skills(self) -> dict[str, dict[str, int]]:
        return self.changed

    async def queues(self) -> list[QueueState]:
        return self.live

    async def accuracy(self) -> list[Accuracy]:
        return [Accuracy("sales", 40, 33, 190_000, 61_000, -9_000)]


@pytest.fixture
def acd() -> Agents:
    return Agents()


@pytest.fixture
async def socket(acd: Agents) -> AsyncIterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hl-"))  # Unix sockets have short names
    engine = SimpleNamespace(acd=acd, board=SimpleNamespace(site=sites.load(SMALL)))
    api = Api(cast(Engine, engine))
    await api.open(folder / "api.sock")
    yield folder / "api.sock"
    await api.close()
    shutil.rmtree(folder)


async def ready(socket: Path) -> dict[str, int]:
    return {row["queue"]: row["ready"] for row in await ask(socket, "/v1/queues")}


async def test_agents_who_could_answer_are_counted_before_a_queues_first_call(socket: Path) -> None:
    # sales: 8001 and 8003; service >= 3: 8002 and 8003; who is in no file any more has no skills
    assert await ready(socket) == {"sales": 2, "service": 2}


@pytest.mark.parametrize(
    "axes",
    [
        {"intent": Intent.NOT_READY},
        {"device": Device.DOWN},
        {"hands": (Hand("1-1abc", "voice", Work.TALKING, 0, 0),)},
        {"cool_until_ms": time.time_ns() // 1_000_000 + 3_600_000},
    ],
    ids=["not ready", "no phone", "talking", "pausing"],
)
async def test_who_could_not_answer_is_not_counted(axes: dict[str, Any], acd: Agents, socket: Path) -> None:
    acd.change("8003", **axes)
    assert await ready(socket) == {"sales": 1, "service": 1}


async def test_ready_agents_are_those_of_the_queues_own_requirement_whatever_was_asked_last(
    acd: Agents, socket: Path
) -> None:
    acd.live = [QueueState("service", "any", waiting=1, oldest_wait_ms=2_000, ready=3, staffed=3, present=3)]
    assert (await ready(socket))["service"] == 2


async def test_who_has_joined_a_queue_or_lost_a_skill_meanwhile_is_counted_by_that(acd: Agents, socket: Path) -> None:
    acd.changed = {"8001": {"sales": 0}, "8002": {"sales": 1}}
    assert await ready(socket) == {"sales": 2, "service": 2}
    acd.changed["8003"] = {"sales": 0}
    assert (await ready(socket))["sales"] == 1


async def test_how_good_the_told_waits_were_is_asked_for_by_itself(socket: Path) -> None:
    (row,) = await ask(socket, "/v1/accuracy")
    assert row == {
        "queue": "sales", "told": 40, "within": 33, "took_ms": 190_000, "error_ms": 61_000, "bias_ms": -9_000
    }  # fmt: skip
