"""A moment with everything in it that Redis must carry over to another server."""

from __future__ import annotations

from engine.acd import Work
from tests.acd.desk import WRAPUP_MS, Desk


async def in_the_middle(desk: Desk) -> None:
    """8001 talks, 8002 wraps up, the phone of 8003 rings, and two callers wait."""
    await desk.staff({"8001": {}, "8002": {}, "8003": {}}, "any")
    for item in ("talking", "done", "ringing", "call-1", "call-2"):
        await desk.calls(item)
    assert desk.offered() == [("talking", "8001"), ("done", "8002"), ("ringing", "8003")]
    talking, done, _ = desk.offers
    assert await desk.acd.accept(talking.token)
    assert await desk.acd.accept(done.token)
    assert await desk.acd.leave(done.item, reason="completed_by_caller")


async def goes_on(desk: Desk) -> None:
    """Nobody has lost a place, a conversation or a phone that rings, and the timers still run."""
    assert [await desk.acd.position(item) for item in ("call-1", "call-2")] == [1, 2]
    assert await desk.acd.accept(desk.last.token)
    assert (await desk.agent("8002")).work is Work.WRAPUP
    await desk.passes(WRAPUP_MS)
    assert desk.offered()[-1] == ("call-1", "8002")
    assert await desk.acd.leave("talking", reason="completed_by_caller")
    await desk.passes(WRAPUP_MS)
    assert desk.offered()[-1] == ("call-2", "8001")
    assert [event["reason"] for event in await desk.journal("item.ended")] == ["completed_by_caller"] * 2
