"""Reloads, one after the other: what nobody needs any more is forgotten, and who waits loses nothing by it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.acd import AgentTerms, Intent, library
from engine.redis_line import Argument, RedisLine, Sink
from tests.acd import inside
from tests.acd.desk import Desk, policy

STAFF = {"8001": AgentTerms({"sales": 5}), "8002": AgentTerms({"sales": 1, "latin": 1})}
KINDS = ("lines", "policies", "profiles", "queues", "present", "staffed", "skills")


async def _kept(desk: Desk) -> dict[str, int]:
    return {kind: await desk.line.call("HLEN", f"{inside.PREFIX}{kind}") for kind in KINDS}


async def _keys(desk: Desk) -> set[str]:
    """But those of agents, that is: of lines."""
    return {name for name in await inside.look(desk.line) if not name.startswith(("agent:", "skill"))}


async def test_fifty_versions_of_a_queue_leave_what_one_does(desk: Desk) -> None:
    await desk.staff(STAFF, "sales", "sales>=3")
    before, keys = await _kept(desk), await _keys(desk)
    for number in range(50):
        terms = policy(f"sales & !club{number}")
        await desk.acd.define(STAFF, [policy("sales"), terms])
        await desk.calls("call", terms, queue=f"queue-{number}")
        await desk.acd.withdraw("call", "test")
    await desk.staff(STAFF, "sales", "sales>=3", ready=False)
    assert await _kept(desk) == before
    assert await _keys(desk) - {"journal", "seq", "timers"} == keys - {"journal", "seq", "timers"}
    for agent in STAFF:
        await desk.acd.look_at(agent)
    assert (await desk.calls("last", "sales>=3")).offers


async def test_who_waits_stays_and_takes_the_later_steps_of_a_queue_that_is_gone(desk: Desk) -> None:
    await desk.staff(STAFF, "sales")
    await desk.acd.agent("8002", intent=Intent.NOT_READY)
    old = policy("latin", "latin | sales>=4", after=(5_000,))
    await desk.acd.define(STAFF, [old])
    assert (await desk.calls("call", old)).position == 1
    await desk.acd.define(STAFF, [policy("any")])
    assert [queue.waiting for queue in await desk.acd.queues()] == [1]
    assert await desk.acd.position("call") == 1
    await desk.passes(5_000)
    assert desk.offered() == [("call", "8001")]
    assert [event["requirement"] for event in await desk.journal("offer.created")] == ["latin | sales>=4"]
    await desk.acd.define(STAFF, [policy("any")])
    assert await desk.acd.accept(desk.last.token)
    await desk.acd.define(STAFF, [policy("any")])
    assert await desk.acd.leave("call", reason="completed")
    await desk.acd.define(STAFF, [policy("any")])
    assert (await _kept(desk))["policies"] == 1


async def test_deferred_item_returns_into_its_line_after_a_reload(desk: Desk) -> None:
    await desk.staff(STAFF, "any")
    await desk.calls("call", "sales>=4", hold_ms=5_000)
    await desk.acd.define(STAFF, [policy("any")])
    await desk.passes(5_000)
    assert desk.offered() == [("call", "8001")]


async def test_requirement_of_one_call_is_forgotten_and_comes_again(desk: Desk) -> None:
    await desk.staff(STAFF, "any")
    for _ in range(3):
        assert (await desk.calls("call", "sales>=4")).offers
        await desk.acd.withdraw("call", "test")
        await desk.acd.define(STAFF, [policy("any")])
        assert (await _kept(desk))["lines"] == 1


async def test_engines_with_different_configurations_serve_both(desk: Desk) -> None:
    other = Desk(desk.line, "two")
    await other.staff(STAFF, "sales>=4")
    for number in range(3):
        await desk.acd.define(STAFF, [policy("sales>=2")])
        assert (await other.calls(f"theirs-{number}", "sales>=4")).offers
        assert not (await desk.calls(f"ours-{number}", "sales>=2")).offers
        await other.acd.define(STAFF, [policy("sales>=4")])
        assert await desk.acd.position(f"ours-{number}") == 1
        for item in (f"ours-{number}", f"theirs-{number}"):
            await desk.acd.withdraw(item, "test")


async def test_calls_with_new_requirements_during_reloads_find_their_agents(desk: Desk) -> None:
    """Whatever one engine forgets while the other brings it in."""
    other = Desk(desk.line, "two")
    staff = {f"80{n:02}": AgentTerms({"sales": 1}) for n in range(60)}
    await desk.acd.define(staff, [policy("sales")])
    await other.acd.define(staff, [policy("sales")])
    for agent in staff:
        await desk.ready(agent)
    for number in range(8):
        asked = [f"sales & !club{n}" for n in range(4)]
        await asyncio.gather(
            asyncio.gather(*(other.calls(f"call-{number}-{n}", text) for n, text in enumerate(asked))),
            desk.acd.define(staff, [policy("sales"), policy(asked[number % 4])]),
            other.acd.define(staff, [policy("sales"), policy(asked[(number + 1) % 4])]),
        )
        found = await inside.look(desk.line)
        lines = [line for line in found["lines"] if found.get(f"members:{line}", {}).keys() != staff.keys()]
        assert not lines
        for n in range(4):
            item = await desk.item(f"call-{number}-{n}")
            assert item is not None
            assert item.state == "offered"
        for n in range(4):
            await other.acd.withdraw(f"call-{number}-{n}", "test")


async def test_library_that_nobody_has_loaded_for_a_month_is_deleted(line: RedisLine) -> None:
    await line.call("FUNCTION", "FLUSH")
    for name in ("old", "new", "unknown"):
        source = f"#!lua name=hotline_acd_{name}\nredis.register_function('hotline_{name}_tick', function() end)"
        await line.call("FUNCTION", "LOAD", source)
    now_ms = int((await line.call("TIME"))[0]) * 1000
    month_ms = 30 * 24 * 3600 * 1000
    libraries = ("hotline:{default}:libraries", "old", now_ms - month_ms - 60_000, "new", now_ms - month_ms + 60_000)
    await line.call("HSET", *libraries)
    await library.load(line)
    left = {row[1] for row in await line.call("FUNCTION", "LIST")}
    await line.call("FUNCTION", "FLUSH")
    assert left == {"hotline_acd_new", "hotline_acd_unknown", f"hotline_acd_{library.library().version}"}


@pytest.mark.parametrize("server_changes", [False, True])
async def test_nothing_is_forgotten_when_the_server_changes_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, server_changes: bool
) -> None:
    """Items are looked through by a cursor that another server does not know."""
    await desk.staff(STAFF, "sales", "sales>=3")
    call = desk.line.call

    async def and_reconnects(*command: Argument, sink: Sink | None = None) -> Any:
        desk.line.connections += server_changes and str(command[1]).endswith("policies_in_use")
        return await call(*command, sink=sink)

    monkeypatch.setattr(desk.line, "call", and_reconnects)
    await desk.acd.define(STAFF, [policy("sales")])
    assert (await _kept(desk))["policies"] == (2 if server_changes else 1)
    assert (await desk.calls("call", "sales>=3")).offers
