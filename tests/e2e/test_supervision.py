"""A supervisor's hand on callers who wait, on real calls: explained, given to an agent, moved, put first, taken out."""

from __future__ import annotations

from typing import Any

import pytest

from engine.api.client import Refused, ask
from tests.e2e.scene import Scene, kinds_of, only
from tests.e2e.site_of_tones import PROMPTS_HZ

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANNE, BOB = "13600136041", "13600136042"
# Serves service and nothing else.
SERVICE = "8002"


async def hand(scene: Scene, caller: str, verb: str, **said: Any) -> Any:
    """What a supervisor does with a caller's call; the beginning of its id is enough."""
    call = await scene.until_active(caller, "phase", "waiting")
    path = f"/v1/items/{call['id']}/{verb}"
    return await ask(scene.hotline.state.api_socket, path, body={**said, "by": "li"})


async def explained(scene: Scene, caller: str) -> Any:
    call = await scene.until_active(caller, "phase", "waiting", "talking")
    return await scene.hotline.ask(f"/v1/explain/{call['id']}")


async def test_a_waiting_caller_is_explained_and_given_to_an_agent_whom_the_queue_would_not_ask(scene: Scene) -> None:
    agent = await scene.phone(SERVICE)
    call = await scene.queued(ANNE)
    waits = await explained(scene, ANNE)
    assert (waits["now"]["state"], waits["now"]["position"]) == ("waiting", 1)
    assert waits["now"]["steps"][0]["requirement"] == "sales"
    assert {each["why"] for each in waits["now"]["agents"]} == {"device_down"}
    assert {"agent": SERVICE, "lacks": ["sales"]} in waits["unmet"]

    with pytest.raises(Refused, match="8001 has no phone"):
        await hand(scene, ANNE, "assign", agent="8001")
    await hand(scene, ANNE, "assign", agent=SERVICE)
    ring = await agent.ringing()
    assert ring.caller_number == ANNE
    await ring.answer()
    await scene.until_connected(ANNE)
    talks = await explained(scene, ANNE)
    assert [(offer["agent"], offer["state"]) for offer in talks["now"]["offers"]] == [(SERVICE, "accepted")]
    assert talks["now"]["talking_ms"] >= 0
    await call.hang_up()

    row = await scene.row(ANNE)
    assert (row["agent"], row["offers"], row["end_reason"]) == (SERVICE, 1, "completed_by_caller")
    assigned = only(await scene.events_of(row), "item.assigned")
    assert (assigned["agent"], assigned["by"]) == (SERVICE, "li")
    ended = await scene.hotline.ask(f"/v1/explain/{row['id'][:12]}")
    assert ended["now"] is None
    assert [(offer["agent"], offer["by"], offer["outcome"]) for offer in ended["offers"]] == [
        (SERVICE, "hand", "accepted")
    ]


async def test_a_caller_who_rings_at_one_agent_is_given_to_another(scene: Scene) -> None:
    first = await scene.agent()
    call = await scene.queued(ANNE)
    ring = await first.ringing()
    other = await scene.phone(SERVICE)
    await hand(scene, ANNE, "assign", agent=SERVICE)
    assert (await ring.ended(timeout=3)).who == "them"
    ring = await other.ringing()
    await ring.answer()
    await scene.until_connected(ANNE)
    freed = await scene.until_agent(scene.user(first), work="idle")
    assert freed["misses"] == freed["cool_until_ms"] == 0, "the agent was charged for an offer that was taken back"
    await call.hang_up()
    assert (await scene.row(ANNE))["agent"] == SERVICE


async def test_a_moved_caller_waits_in_the_other_queue_since_they_came(scene: Scene) -> None:
    agent = await scene.phone(SERVICE)
    call = await scene.queued(ANNE)
    await hand(scene, ANNE, "move", queue="service")
    ring = await agent.ringing()
    await ring.answer()
    await scene.until_connected(ANNE)
    await call.hang_up()
    row = await scene.row(ANNE)
    assert (row["queue"], row["agent"]) == ("service", SERVICE)
    first, second = (event for event in await scene.events_of(row) if event["type"] == "item.enqueued")
    assert (first["queue"], second["queue"]) == ("sales", "service")
    assert second["waited_ms"] == pytest.approx(second["at"] - first["at"], abs=50)


async def test_a_caller_with_a_new_priority_is_answered_before_who_came_first(scene: Scene) -> None:
    await scene.queued(ANNE)
    second = await scene.queued(BOB)
    await hand(scene, BOB, "priority", head_start_s=300)
    line = (await scene.hotline.ask("/v1/queues/sales/waiting"))["line"]
    assert [row["about"].split()[0] for row in line] == [f"+86{BOB}", f"+86{ANNE}"]
    agent = await scene.agent()
    ring = await agent.ringing()
    assert ring.caller_number == BOB
    await second.hang_up()
    assert (await agent.ringing()).caller_number == ANNE


async def test_a_moved_caller_keeps_the_priority_that_a_supervisor_has_given_them(scene: Scene) -> None:
    await scene.queued(ANNE)
    await scene.queued(BOB)
    await hand(scene, BOB, "priority", head_start_s=300)
    for caller in (ANNE, BOB):
        await hand(scene, caller, "move", queue="service")
        await scene.until_active(caller, "queue", "service")
    agent = await scene.phone(SERVICE)
    ring = await agent.ringing()
    assert ring.caller_number == BOB
    await ring.reject(486)


async def test_a_withdrawn_caller_goes_on_in_the_flow(scene: Scene) -> None:
    call = await scene.queued(ANNE)
    await hand(scene, ANNE, "withdraw", reason="wrong queue")
    assert await call.hears(PROMPTS_HZ["goodbye"], within=10)
    row = await scene.row(ANNE)
    events = await scene.events_of(row)
    taken = only(events, "item.taken_out")
    assert (taken["reason"], taken["by"]) == ("wrong queue", "li")
    assert "offer.created" not in kinds_of(events)
