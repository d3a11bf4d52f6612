"""A reload has changed a queue: what waits there waits by its new policy."""

from __future__ import annotations

import pytest

from engine.acd import AgentTerms, Device, Intent, Missed
from tests.acd.desk import Desk, policy

OLD, NEW = policy("sales"), policy("selling")


async def reloaded(desk: Desk) -> None:
    """The agent is at their desk on a break, and cannot do what the old policy wants any more."""
    await desk.acd.define({"8001": AgentTerms({"sales": 5})}, [OLD])
    await desk.acd.agent("8001", intent=Intent.NOT_READY, device=Device.IDLE)
    await desk.calls("first", OLD)
    await desk.passes(1_000)
    await desk.calls("second", OLD)
    await desk.acd.define({"8001": AgentTerms({"selling": 5})}, [])


@pytest.mark.parametrize("item", ["first", "second"])
async def test_an_idle_agent_of_the_new_policy_gets_it_at_once(desk: Desk, item: str) -> None:
    await reloaded(desk)
    await desk.ready("8001")
    assert desk.offers == []
    assert await desk.acd.repolicy(item, NEW)
    assert desk.offered() == [(item, "8001")]
    [changed] = await desk.journal("item.policy_changed")
    assert (changed["call"], changed["requirement"], changed["step"]) == (item, "selling", 1)


async def test_they_keep_their_places_whoever_is_told_of_first(desk: Desk) -> None:
    await reloaded(desk)
    for item in ("second", "first"):
        assert await desk.acd.repolicy(item, NEW)
    await desk.ready("8001")
    assert desk.offered() == [("first", "8001")]
    assert [item.id for item in await desk.acd.waiting("sales")] == ["second"]


async def test_a_step_that_has_begun_by_now_counts_as_if_it_had_been_so_from_the_beginning(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}, "8002": {"sales": 2}}, "sales", ready=False)
    await desk.acd.agent("8002", intent=Intent.NOT_READY, device=Device.IDLE)
    await desk.ready("8001")
    await desk.calls("item", policy("sales>=3"))
    await desk.passes(30_000)
    assert await desk.acd.repolicy("item", policy("sales>=3", "sales>=2", "sales", after=(10_000, 40_000)))
    assert desk.offers == []
    await desk.passes(10_000)
    assert desk.offered() == [("item", "8001")]


async def test_a_phone_that_rings_rings_on_and_the_next_agent_is_of_the_new_policy(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}, "8002": {"selling": 1}}, "sales", "selling")
    await desk.calls("item", OLD)
    assert await desk.acd.repolicy("item", NEW)
    assert desk.offered() == [("item", "8001")]
    assert desk.cancelled == []
    await desk.misses(Missed.REJECTED)
    assert desk.offered()[1:] == [("item", "8002")]


async def test_what_is_put_off_comes_back_by_the_new_policy(desk: Desk) -> None:
    await reloaded(desk)
    await desk.acd.defer("first", 5_000, "not_now")
    assert await desk.acd.repolicy("first", NEW)
    await desk.ready("8001")
    assert desk.offers == []
    await desk.passes(5_000)
    assert desk.offered() == [("first", "8001")]


async def test_until_when_it_may_wait_stays_as_it_was(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.calls("item", policy("any", max_wait_ms=10_000))
    assert await desk.acd.repolicy("item", policy("any", max_wait_ms=60_000))
    await desk.passes(10_000)
    assert [(gone.item, gone.reason) for gone in desk.released] == [("item", "timed_out")]


async def test_a_conversation_is_left_alone_and_so_is_what_is_unknown(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("item", "any", wrapup_ms=5_000)
    await desk.acd.accept(desk.last.token)
    assert not await desk.acd.repolicy("item", policy("any", wrapup_ms=60_000))
    assert not await desk.acd.repolicy("nobody", NEW)
    await desk.acd.leave("item", reason="completed")
    assert (await desk.agent("8001")).wrapup_until_ms == desk.now_ms + 5_000


async def test_the_same_policy_again_is_no_change(desk: Desk) -> None:
    await reloaded(desk)
    assert await desk.acd.repolicy("first", OLD)
    assert await desk.journal("item.policy_changed") == []
