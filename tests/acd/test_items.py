"""Items that are no calls, from their queue to the agent's program and to their end, on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.acd import Device, Intent, Placement
from engine.config import site as sites
from engine.items import NotThere, NotThisItem, TooLarge, TooMany, board, new_item, presence
from engine.redis_line import LineDown, RedisLine
from tests.acd.office import Office, site, until


@pytest.fixture
async def office(line: RedisLine, tmp_path: Path) -> AsyncIterator[Office]:
    office = Office(line, site(tmp_path / "site"))
    await office.open()
    yield office
    await office.close()


async def test_an_item_is_offered_to_an_agents_program_taken_and_completed(office: Office) -> None:
    await office.ready("8002")
    item = await office.add("urgent", subject="Wrong invoice", data={"mail": 4711}, by="crm")
    offer = await office.offered("8002")
    assert offer["item"]["data"] == {"mail": 4711}
    office.board.shown(office.board.desks.of("8002"))
    await office.until_work("8002", "ringing")
    assert await office.board.accept(offer["token"]) == item
    assert office.board.desks.of("8002").view()["items"] == [item.fields()]

    await office.board.complete(item.id)
    await office.until_work("8002", "wrapup")
    assert office.board.desks.of("8002").view()["items"] == []
    with pytest.raises(NotThere):
        await office.board.complete(item.id)
    assert await office.story(item) == [
        "item.added",
        "item.enqueued",
        "offer.created",
        "offer.ringing",
        "offer.accepted",
        "item.ended",
        "wrapup.started",
    ]


async def test_whoever_has_no_program_open_is_offered_no_item_and_calls_all_the_same(office: Office) -> None:
    await office.ready("8002")
    await office.acd.agent("8003", intent=Intent.READY, device=Device.IDLE)
    first, second = await office.add("urgent"), await office.add("mail")
    assert (await office.offered("8002"))["item"]["id"] == first.id
    assert [offer["item"]["id"] for offer in office.board.desks.of("8002").view()["offers"]] == [first.id, second.id]
    assert not office.board.desks.of("8003").offers
    state = await office.acd.look_at("8003")
    assert state is not None
    assert "voice" in state.ready


async def test_a_program_that_opens_gets_what_waits(office: Office) -> None:
    await office.acd.agent("8002", intent=Intent.READY)
    item = await office.add("urgent")
    assert await office.acd.position(item.id) == 1
    with office.board.presence.watching("8002") as desk:
        seen = desk.version
        await asyncio.wait_for(desk.news(seen, 5.0), 5.0)
        assert [offer["item"]["id"] for offer in desk.view()["offers"]] == [item.id]


async def test_an_offer_that_is_not_taken_within_the_ring_is_ignored_and_goes_to_the_next(office: Office) -> None:
    await office.ready("8002", "8003")
    item = await office.add("mail")
    offer = await office.offered("8002")
    await office.offered("8003")
    missed = next(event for event in await office.events(item) if event["type"] == "offer.missed")
    assert (missed["agent"], missed["reason"]) == ("8002", "no_answer")
    assert missed["ring_ms"] >= 150
    with pytest.raises(NotThisItem, match="not taken in time"):
        await office.board.accept(offer["token"])


async def test_a_rejected_item_is_offered_to_the_next_and_not_to_the_same_again(office: Office) -> None:
    await office.ready("8002", "8003")
    item = await office.add("urgent")
    await office.board.reject((await office.offered("8002"))["token"])
    assert (await office.offered("8003"))["item"]["id"] == item.id
    await office.board.reject((await office.offered("8003"))["token"])
    assert await office.acd.position(item.id) == 1


async def test_a_moved_item_waits_in_the_other_queue_since_it_came(office: Office) -> None:
    item = await office.add("mail")
    before = await office.acd.item(item.id)
    await asyncio.sleep(0.05)  # its age, to be seen
    await office.board.move(item.id, "urgent", by="8001")
    after = await office.acd.item(item.id)
    assert before is not None
    assert after is not None
    assert after.queue == "urgent"
    assert abs(after.enqueued_ms - before.enqueued_ms) <= 5
    assert office.board.item(item.id).queue == "urgent"
    taken = next(event for event in await office.events(item) if event["type"] == "item.taken_out")
    assert (taken["target"], taken["by"]) == ("queue:urgent", "8001")


async def test_a_moved_item_keeps_the_priority_that_somebody_has_given_it(office: Office) -> None:
    item = await office.add("mail")
    await office.acd.reprioritise(item.id, head_start_ms=300_000, strict=1, actor="li")
    for queue in ("urgent", "mail"):
        await office.board.move(item.id, queue, by="li")
        told = await office.acd.explain(item.id)
        assert told is not None
        assert (told.queue, told.head_start_ms, told.strict) == (queue, 300_000, 1)


async def test_what_waits_is_reached_by_an_order_about_opening_hours(office: Office) -> None:
    sent_out, stays = await office.add("opening"), await office.add("mail")
    await office.closes()
    assert office.board.items() == [stays]
    ended = next(event for event in await office.events(sent_out) if event["type"] == "item.ended")
    assert ended["reason"] == "closed"


async def test_an_item_that_the_other_queue_refuses_waits_where_it_was(office: Office) -> None:
    await office.add("urgent")  # which takes one
    item = await office.add("mail")
    with pytest.raises(NotThisItem, match=r"urgent does not take it \(full\): it waits in mail again"):
        await office.board.move(item.id, "urgent", by="8001")
    await office.until_waiting(item, "mail")


async def test_an_item_that_the_other_queue_refuses_waits_where_it_was_although_that_queue_has_closed(
    office: Office,
) -> None:
    await office.add("urgent")  # which takes one
    item = await office.add("drained")
    await office.closes()
    with pytest.raises(NotThisItem, match="it waits in drained again"):
        await office.board.move(item.id, "urgent", by="8001")
    await office.until_waiting(item, "drained")


async def test_an_item_put_off_by_its_agent_comes_back_to_them(office: Office) -> None:
    await office.ready("8002", "8003")
    item = await office.add("mail")
    await office.board.accept((await office.offered("8002"))["token"])
    await office.board.defer(item.id, 100, "customer answers tomorrow")
    state = await office.acd.item(item.id)
    assert state is not None
    assert state.state == "deferred"
    assert (await office.offered("8002"))["item"]["id"] == item.id


async def test_a_waiting_item_that_is_put_off_is_offered_to_nobody_meanwhile(office: Office) -> None:
    await office.ready("8002")
    item = await office.add("urgent")
    await office.offered("8002")
    await office.board.defer(item.id, 100, "too early")
    assert not office.board.desks.of("8002").offers
    assert (await office.offered("8002"))["attempt"] == 2


@pytest.mark.parametrize("accepted", [True, False])
async def test_an_item_put_off_for_longer_than_it_may_wait_comes_back(office: Office, accepted: bool) -> None:
    await office.ready("8002")
    item = await office.add("brief")
    offer = await office.offered("8002")
    if accepted:
        await office.board.accept(offer["token"])
    await office.board.defer(item.id, 500, "customer answers tomorrow")
    assert (await office.offered("8002"))["item"]["id"] == item.id


async def test_an_item_put_off_whose_queue_was_removed_ends_and_the_journal_says_why(office: Office) -> None:
    await office.ready("8002")
    item = await office.add("urgent")
    await office.board.accept((await office.offered("8002"))["token"])
    office.removes("urgent")
    with pytest.raises(NotThisItem, match="it has ended"):
        await office.board.defer(item.id, 100, "customer answers tomorrow")
    assert item.id not in office.board
    assert (await office.events(item))[-1]["reason"] == "queue_removed"


@pytest.mark.parametrize("queue", ["opening", "drained"])
@pytest.mark.parametrize("accepted", [True, False])
async def test_an_item_put_off_while_its_queue_is_closed_comes_back(office: Office, queue: str, accepted: bool) -> None:
    await office.ready("8002")
    item = await office.add(queue)
    offer = await office.offered("8002")
    if accepted:
        await office.board.accept(offer["token"])
    await office.closes()
    await office.board.defer(item.id, 100, "customer answers tomorrow")
    assert (await office.offered("8002"))["item"]["id"] == item.id


async def test_an_item_put_off_is_not_reached_by_an_order_to_close_before_it_is_back(office: Office) -> None:
    await office.ready("8002")
    item = await office.add("opening")
    await office.offered("8002")
    await office.board.defer(item.id, 300, "customer answers tomorrow")
    await office.closes()
    assert (await office.offered("8002"))["item"]["id"] == item.id


async def test_an_item_that_has_waited_too_long_ends(office: Office) -> None:
    item = await office.add("brief")
    await until(lambda: item.id not in office.board)
    ended = next(event for event in await office.events(item) if event["type"] == "item.ended")
    assert ended["reason"] == "timed_out"


async def test_a_withdrawn_item_vanishes_from_the_agents_program(office: Office) -> None:
    await office.ready("8002")
    item = await office.add("urgent")
    await office.offered("8002")
    await office.board.withdraw(item.id, "sent twice", by="crm")
    assert not office.board.desks.of("8002").offers
    assert item.id not in office.board
    assert await office.acd.item(item.id) is None


async def test_an_item_at_somebodys_hand_is_completed_not_withdrawn_or_moved(office: Office) -> None:
    await office.ready("8002")
    item = await office.add("urgent")
    with pytest.raises(NotThisItem, match="nobody has accepted"):
        await office.board.complete(item.id)
    await office.board.accept((await office.offered("8002"))["token"])
    with pytest.raises(NotThisItem, match=r"8002 has .* at hand"):
        await office.board.withdraw(item.id, "no", by="crm")
    with pytest.raises(NotThisItem, match="just been accepted"):
        await office.board.move(item.id, "mail", by="crm")
    await office.board.complete(item.id)


async def test_items_and_who_has_them_survive_the_engine(office: Office, line: RedisLine) -> None:
    await office.ready("8002", "8003")
    held, offered = await office.add("urgent", data=[1]), await office.add("urgent")
    await office.board.accept((await office.offered("8002"))["token"])
    waiting = await office.add("mail")
    token = (await office.offered("8003"))["token"]
    await office.close()

    successor = Office(line, office.site)
    await successor.open()
    try:
        assert successor.board.items() == sorted((held, offered, waiting), key=lambda item: item.id)
        assert successor.board.desks.of("8002").view()["items"] == [held.fields()]
        assert token in [offer["token"] for offer in successor.board.desks.of("8003").view()["offers"]]
        await successor.board.accept(token)
        await successor.board.complete(held.id)
    finally:
        await successor.close()


async def test_an_item_between_two_queues_is_not_lost_with_the_engine(office: Office, line: RedisLine) -> None:
    item = await office.add("mail")
    moving = asyncio.ensure_future(office.board.move(item.id, "urgent", by="8001"))
    office.board._go_again = lambda again: None  # type: ignore[assignment,method-assign,return-value]  # dies in that moment
    await moving
    assert await office.acd.item(item.id) is None
    await office.close()

    successor = Office(line, office.site)
    await successor.open()
    try:
        await until(lambda: item.id in successor.board)
        await until(lambda: not successor.board._going)
        state = await successor.acd.item(item.id)
        assert state is not None
        assert state.queue == "urgent"
        assert abs(state.enqueued_ms - item.added_ms) < 1_000
        assert await line.call("HLEN", "hotline:{default}:items-again:main") == 0
    finally:
        await successor.close()


async def test_an_emptied_redis_is_told_again_of_every_item_and_who_has_it(office: Office, line: RedisLine) -> None:
    await office.ready("8002")
    held = await office.add("urgent", data=[1])
    await office.board.accept((await office.offered("8002"))["token"])
    waiting = await office.add("urgent")
    await office.offered("8002")
    await line.call("FLUSHALL")

    await office.define()
    await office.acd.agent("8002", intent=Intent.READY)
    await office.board.again()
    await office.until_work("8002", "talking")
    assert office.board.desks.of("8002").view()["items"] == [held.fields()]
    offer = await office.offered("8002")
    assert offer["item"]["id"] == waiting.id
    await office.board.accept(offer["token"])
    for item in (held, waiting):
        await office.board.complete(item.id)


async def test_an_emptied_redis_refuses_nothing_that_was_there_before(office: Office, line: RedisLine) -> None:
    put_off = [await office.add("urgent"), await office.add("opening")]
    for item in put_off:
        await office.board.defer(item.id, 3_600_000, "later")
    waiting = [await office.add("urgent"), await office.add("drained")]
    await office.closes()
    await line.call("FLUSHALL")

    await office.define()
    await office.board.again()
    for item in put_off + waiting:
        await office.until_waiting(item, item.queue)
        assert item.id in office.board


async def test_an_emptied_redis_ends_what_waited_in_a_queue_that_was_removed(office: Office, line: RedisLine) -> None:
    item, stays = await office.add("urgent"), await office.add("mail")
    office.removes("urgent")
    await line.call("FLUSHALL")

    await office.define()
    await office.board.again()
    assert office.board.items() == [stays]
    assert [(event["type"], event["reason"]) for event in await office.events(item)] == [
        ("item.ended", "queue_removed")
    ]


async def test_an_item_offered_to_several_belongs_to_whoever_takes_it_first(office: Office) -> None:
    await office.ready("8002", "8003")
    await office.add("both")
    first, second = await office.offered("8002"), await office.offered("8003")
    await office.board.accept(second["token"])
    assert not office.board.desks.of("8002").offers
    with pytest.raises(NotThisItem, match="taken back"):
        await office.board.accept(first["token"])
    state = await office.acd.look_at("8002")
    assert state is not None
    assert (state.work, state.misses, state.cool_until_ms) == ("idle", 0, 0)


async def test_an_agent_whose_program_falls_silent_is_offered_nothing_more(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "SILENT_S", 0.05)
    await office.ready("8002")
    await until(lambda: not office.board.desks.of("8002").told_open)
    item = await office.add("urgent")
    assert await office.acd.position(item.id) == 1


async def test_an_item_that_redis_may_or_may_not_have_taken_is_given_to_nobody(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue = office.acd.enqueue

    async def unanswered(*words: Any, **terms: Any) -> Placement:
        await enqueue(*words, **terms)
        raise LineDown("gone before it answered")

    monkeypatch.setattr(office.acd, "enqueue", unanswered)
    item = new_item("mail", "email")
    with pytest.raises(LineDown):
        await office.board.add(item)
    await until(lambda: item.id not in office.board)
    assert await office.acd.item(item.id) is None


async def test_there_is_an_end_to_how_many_items_are_kept(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "MOST_ITEMS", 1)
    await office.add("mail")
    with pytest.raises(TooMany):
        await office.board.add(new_item("mail", "email"))


def test_an_item_carries_little() -> None:
    with pytest.raises(TooLarge, match="2048 are the most"):
        new_item("mail", "email", data="x" * 2048)


async def test_an_engine_that_starts_with_another_version_serves_by_it_what_it_finds(
    office: Office, line: RedisLine
) -> None:
    item = await office.add("mail")
    await office.close()
    file = office.site.folder / "dialplan/queues.yaml"
    file.write_text(file.read_text().replace("require: english", "require: sales"))
    successor = Office(line, sites.load(office.site.folder))
    await successor.open()
    await successor.board.again()  # as after every start
    await successor.ready("8001")
    assert (await successor.offered("8001"))["item"]["id"] == item.id
    await successor.close()
