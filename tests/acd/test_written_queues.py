"""Queues as an admin writes them, served by the real functions: what the files say is what happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.acd import Device, Intent, Placement
from engine.config import policies
from engine.config.site import Site
from engine.flow.steps.base import ToQueue
from tests.acd.desk import Desk
from tests.unit.queues.writing import AGENTS, site

OFFICE = AGENTS | {"8004": {"name": "孙悟空", "queues": ["desk"], "takes": {"voice": 0}}}


class Office:
    """A written site, open for business."""

    def __init__(self, desk: Desk, written: Site) -> None:
        self.desk, self.site = desk, written

    async def opens(self, *ready: str) -> None:
        """These come to work, one a second."""
        told = policies.policies(self.site)
        await self.desk.acd.define(
            policies.terms(self.site),
            told,
            interrupting=policies.interrupting(self.site),
            shares=policies.shares(self.site),
        )
        for agent in ready:
            await self.desk.acd.agent(agent, intent=Intent.READY, device=Device.IDLE)
            await self.desk.passes(1_000)

    async def calls(self, item: str, queue: str, variables: dict[str, Any] | None = None, **to: Any) -> Placement:
        """Somebody comes to a queue by a step of a flow."""
        going = ToQueue(queue=queue, **to)
        known = policies.preferred(going, self.site, variables or {})
        policy = policies.policy_of(going, self.site, variables or {})
        return await self.desk.calls(item, policy, queue=queue, preferred=known.agent, patience_ms=known.patience_ms)


@pytest.fixture
def office(desk: Desk, tmp_path: Path) -> Office:
    queues = {
        "billing": {
            "steps": [{"require": "billing >= 8"}, {"after": "20s", "require": "billing"}],
            "owner": "30s",
            "max_wait": "5m",
            "capacity": 2,
        },
        "service": {"require": "any", "prefer": ["english", "sales"]},
        "experts": {"require": "billing | mandarin", "strategy": "most_proficient"},
        "everybody": {"require": "any", "ring_at_once": "all"},
        "desk": {"kind": "chat"},
    }
    return Office(desk, site(tmp_path, queues, agents=OFFICE))


async def test_a_caller_waits_for_the_best_first_and_then_for_the_next(office: Office) -> None:
    await office.opens("8001", "8002")
    await office.calls("c0", "billing")
    await office.calls("c1", "billing")
    await office.desk.passes(19_000)
    assert office.desk.offered() == [("c0", "8001")]
    await office.desk.passes(1_000)
    assert office.desk.offered() == [("c0", "8001"), ("c1", "8002")]


async def test_a_step_for_which_nobody_has_come_to_work_is_not_waited_for(office: Office) -> None:
    await office.opens("8002")
    await office.calls("c1", "billing")
    assert office.desk.offered() == [("c1", "8002")]


async def test_whom_the_endpoint_asks_for_is_asked_for_at_every_step(office: Office) -> None:
    await office.opens("8001", "8002")
    await office.calls("c1", "billing", {"route.require": "english"})
    await office.desk.passes(20_000)
    assert office.desk.offered() == [("c1", "8002")]


async def test_who_is_preferred_comes_first_among_the_ready(office: Office) -> None:
    await office.opens("8001", "8003", "8002")
    for item in ("c1", "c2", "c3"):
        await office.calls(item, "service")
    assert office.desk.offered() == [("c1", "8002"), ("c2", "8003"), ("c3", "8001")]


async def test_the_most_proficient_comes_before_the_one_who_is_idle_longest(office: Office) -> None:
    await office.opens("8002", "8001")
    await office.calls("c1", "experts")
    assert office.desk.offered() == [("c1", "8001")]


async def test_all_phones_ring_but_those_of_agents_who_take_no_calls(office: Office) -> None:
    await office.opens("8001", "8002", "8003", "8004")
    placement = await office.calls("c1", "everybody")
    assert sorted(offer.agent for offer in placement.offers) == ["8001", "8002", "8003"]


async def test_the_owner_is_waited_for_and_then_everybody_may(office: Office) -> None:
    await office.opens("8001", "8003")
    await office.calls("c0", "service")  # 8003, who sells, is busy
    await office.calls("c1", "billing", {"customer.owner": "8003"})
    await office.desk.passes(29_000)
    assert office.desk.offered() == [("c0", "8003")]
    await office.desk.passes(1_000)
    assert office.desk.offered() == [("c0", "8003"), ("c1", "8001")]


async def test_a_full_queue_refuses_and_an_empty_one_only_where_that_has_a_branch(office: Office) -> None:
    await office.opens()
    assert (await office.calls("c1", "billing", branches={"no_agents": "sorry"})).refused == "no_agents"
    assert [(await office.calls(item, "billing")).refused for item in ("c2", "c3", "c4")] == ["", "", "full"]


async def test_the_longest_wait_ends_by_itself(office: Office) -> None:
    await office.opens()
    await office.calls("c1", "billing")
    await office.desk.passes(300_000)
    assert [(notice.item, notice.reason) for notice in office.desk.released] == [("c1", "timed_out")]


async def test_members_serve_a_queue_and_whoever_joins_it(office: Office) -> None:
    await office.opens("8004", "8001")
    for item in ("c1", "c2", "c3", "c4"):
        await office.calls(item, "desk")
    assert office.desk.offered() == [("c1", "8004"), ("c2", "8004"), ("c3", "8004")]  # three chats are a person's fill
    await office.desk.acd.skill("8001", "queue:desk", 1)
    await office.desk.passes(1_000)
    assert office.desk.offered()[3:] == [("c4", "8001")]


async def test_a_kind_that_weighs_less_than_an_agent_leaves_room_beside_it(desk: Desk, tmp_path: Path) -> None:
    queues = {"desk": {"kind": "chat", "require": "any"}, "mail": {"kind": "email", "require": "any"}}
    office = Office(desk, site(tmp_path, queues, kinds={"chat": {"at_once": 1, "weight": 30}}))
    await office.opens("8001")
    placements = [await office.calls(queue, queue) for queue in ("desk", "mail")]
    assert all(placement.offers for placement in placements)
