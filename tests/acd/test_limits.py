"""What ends a wait, what keeps a place, and what goes before everybody else."""

from __future__ import annotations

import pytest

from engine.acd import Intent, Missed
from tests.acd.desk import LEASE_MS, Desk, policy


def ends(desk: Desk) -> list[tuple[str, str]]:
    return [(gone.item, gone.reason) for gone in desk.released]


async def test_longest_wait_ends_on_time_and_the_others_wait_on(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.calls("short", policy("any", max_wait_ms=10_000))
    await desk.calls("long", policy("any", max_wait_ms=20_000))
    await desk.passes(9_999)
    assert ends(desk) == []
    await desk.passes(1)
    assert ends(desk) == [("short", "timed_out")]
    assert await desk.acd.position("long") == 1


async def test_offer_under_way_at_the_limit_rings_to_its_end_and_may_be_answered(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("answered", policy("any", max_wait_ms=5_000))
    await desk.calls("missed", policy("any", max_wait_ms=5_000))
    await desk.passes(LEASE_MS - 1)
    assert ends(desk) == []
    assert await desk.acd.accept(desk.offers[0].token) is True
    await desk.misses(Missed.NO_ANSWER)
    assert ends(desk) == [("missed", "timed_out")]


async def test_what_was_waited_elsewhere_counts_for_ones_turn_and_not_for_how_long_one_may_wait_here(
    desk: Desk,
) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.calls("first")
    await desk.passes(5_000)
    assert (await desk.calls("moved", policy("any", max_wait_ms=20_000), waited_ms=30_000)).position == 1
    await desk.passes(19_000)
    assert ends(desk) == []
    await desk.passes(1_000)
    assert ends(desk) == [("moved", "timed_out")]


async def test_whichever_of_limit_and_closing_time_comes_first_is_the_reason(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    terms = policy("any", max_wait_ms=10_000)
    await desk.calls("closing", terms, closes_in_ms=4_000)
    await desk.calls("limit", terms, closes_in_ms=40_000)
    assert (await desk.calls("closed", terms, closes_in_ms=0)).refused == "closed"
    await desk.passes(10_000)
    assert ends(desk) == [("closing", "closed"), ("limit", "timed_out")]


async def test_closing_time_may_be_set_anew_for_who_waits_and_the_longest_wait_stays(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    terms = policy("any", max_wait_ms=10_000)
    for item in ("now", "sooner", "never", "later"):
        await desk.calls(item, terms, closes_in_ms=4_000)
    assert await desk.acd.closes("now", 0)
    assert ends(desk) == [("now", "closed")]
    assert await desk.acd.closes("sooner", 2_000)
    assert await desk.acd.closes("never", None)
    assert await desk.acd.closes("later", 60_000)
    assert not await desk.acd.closes("now", None)
    await desk.passes(9_999)
    assert ends(desk)[1:] == [("sooner", "closed")]
    await desk.passes(1)
    assert sorted(ends(desk)[2:]) == [("later", "timed_out"), ("never", "timed_out")]


async def test_who_rings_when_their_queue_is_closed_rings_to_the_end(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("answered")
    await desk.calls("missed")
    for item in ("answered", "missed"):
        assert await desk.acd.closes(item, 0)
    assert await desk.acd.accept(desk.offers[0].token) is True
    assert not await desk.acd.closes("answered", 0)
    await desk.misses(Missed.NO_ANSWER)
    assert ends(desk) == [("missed", "closed")]


async def test_full_queue_refuses_unless_somebody_is_free_for_the_caller(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}, "8002": {"latin": 1}}, "sales", "latin", ready=False)
    for number in range(2):
        assert (await desk.calls(f"call-{number}", policy("sales", capacity=2))).position == number + 1
    assert (await desk.calls("too many", policy("sales", capacity=2))).refused == "full"
    await desk.ready("8002")
    assert (await desk.calls("latin", policy("latin", capacity=2))).offers
    refused = await desk.journal("item.refused")
    assert [(event["call"], event["reason"]) for event in refused] == [("too many", "full")]
    assert await desk.item("too many") is None


async def test_who_waited_as_long_as_the_class_may_goes_before_everybody_else(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.calls("old", policy("any", served_within_ms=30_000))
    await desk.passes(20_000)
    await desk.calls("vip", head_start_ms=600_000)
    await desk.calls("strict", policy("any", strict=9))
    await desk.acd.reprioritise("strict", head_start_ms=0, strict=9, actor="anna")
    assert [await desk.acd.position(item) for item in ("strict", "vip", "old")] == [1, 2, 3]
    await desk.passes(10_000)
    assert [await desk.acd.position(item) for item in ("old", "strict", "vip")] == [1, 2, 3]


async def test_of_the_limits_of_class_and_item_the_sooner_counts(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.calls("plain", policy("any", served_within_ms=30_000))
    await desk.calls("gold", policy("any", served_within_ms=30_000), served_within_ms=10_000)
    await desk.calls("lead", policy("any", served_within_ms=30_000), served_within_ms=60_000)
    await desk.calls("own", policy("any"), served_within_ms=20_000)
    await desk.calls("vip", head_start_ms=600_000)
    for passes_ms, line in ((9_999, "vip plain gold lead own"), (1, "gold vip plain lead own"),
                            (10_000, "gold own vip plain lead"), (10_000, "gold own plain lead vip")):  # fmt: skip
        await desk.passes(passes_ms)
        assert [item.id for item in await desk.acd.waiting("sales")] == line.split()


async def test_place_is_kept_for_a_caller_who_is_known_and_comes_back_in_time(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    terms = policy("any", place_kept_ms=60_000)
    await desk.calls("before", terms, who="digest")
    await desk.passes(1_000)
    await desk.calls("other", terms)
    await desk.acd.withdraw("before", "abandoned_waiting", keep_place=True)
    await desk.passes(59_999)
    assert (await desk.calls("again", terms, who="digest")).position == 1
    await desk.acd.withdraw("again", "abandoned_waiting", keep_place=True)
    await desk.passes(60_000)
    assert (await desk.calls("too late", terms, who="digest")).position == 2


async def test_whoever_takes_a_place_over_is_told_for_how_long_it_counts_and_a_newcomer_nothing(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    terms = policy("any", place_kept_ms=60_000)
    assert (await desk.calls("callback", terms, waited_ms=2_400_000, type="callback")).waited_ms == 0
    await desk.passes(1_000)
    assert (await desk.calls("call", terms, who="digest", waited_ms=500, replaces="callback")).waited_ms == 2_401_000
    await desk.acd.withdraw("call", "abandoned_waiting", keep_place=True)
    await desk.passes(1_000)
    assert (await desk.calls("again", terms, who="digest")).waited_ms == 2_402_000
    assert (await desk.calls("again", terms, who="digest")).waited_ms == 2_402_000, "its first answer may be lost"
    assert (await desk.calls("newcomer", terms, who="another")).waited_ms == 0


async def test_place_is_not_given_to_somebody_else_nor_twice(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    terms = policy("any", place_kept_ms=60_000)
    await desk.calls("before", terms, who="digest")
    await desk.passes(1_000)
    await desk.calls("other", terms)
    await desk.acd.withdraw("before", "abandoned_waiting", keep_place=True)
    assert (await desk.calls("unknown", terms)).position == 2
    assert (await desk.calls("somebody else", terms, who="another")).position == 3
    assert (await desk.calls("again", terms, who="digest")).position == 1
    assert (await desk.calls("twice", terms, who="digest")).position == 5


async def test_callback_takes_the_callers_place_and_gives_it_back(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.calls("call", head_start_ms=3_000)
    await desk.passes(1_000)
    await desk.calls("other", head_start_ms=2_000)
    placement = await desk.calls("callback", replaces="call", type="callback")
    assert placement.position == 1
    assert ends(desk) == [("call", "replaced")]
    assert (await desk.calls("call again", replaces="callback")).position == 1


async def test_agent_who_rang_for_the_caller_is_there_for_what_takes_their_place(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    await desk.calls("other")
    await desk.calls("callback", replaces="call")
    assert desk.offered() == [("call", "8001"), ("callback", "8001")]


async def test_refused_replacement_leaves_the_caller_where_they_are(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.calls("call")
    await desk.passes(5_000)
    refused = await desk.calls("callback", replaces="call", closes_in_ms=0)
    assert refused.refused == "closed"
    assert ends(desk) == []
    assert await desk.acd.position("call") == 1


async def test_deferred_item_is_offered_to_nobody_and_keeps_its_place(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("callback")
    await desk.calls("other", wrapup_ms=0)
    assert await desk.acd.defer("callback", 30_000, "customer is dialled") is True
    assert desk.offered() == [("callback", "8001"), ("other", "8001")]
    await desk.acd.accept(desk.last.token)
    await desk.calls("later")
    await desk.passes(30_000)
    assert await desk.acd.position("callback") == 1
    await desk.acd.leave("other", reason="completed")
    assert desk.last.item == "callback"


@pytest.mark.parametrize("held_at_first", [True, False])
async def test_what_is_put_off_for_longer_than_it_may_wait_begins_its_wait_when_it_is_back(
    desk: Desk, held_at_first: bool
) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    terms = policy("any", max_wait_ms=10_000)
    await desk.calls("mail", terms, hold_ms=60_000 if held_at_first else 0)
    if not held_at_first:
        await desk.passes(9_000)
        await desk.acd.defer("mail", 60_000, "tomorrow")
    await desk.passes(60_000)
    assert await desk.acd.position("mail") == 1
    await desk.passes(9_999)
    assert ends(desk) == []
    await desk.passes(1)
    assert ends(desk) == [("mail", "timed_out")]


async def test_what_is_put_off_minds_the_closing_time_that_it_was_told_and_none_before_it_is_back(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    for item in ("tonight", "tomorrow night", "open end"):
        await desk.calls(item, closes_in_ms=5_000)
        assert await desk.acd.defer(item, 60_000, "tomorrow", closes_in_ms=70_000)
    for item in ("tonight", "tomorrow night"):
        assert await desk.acd.closes(item, 0)
    assert await desk.acd.closes("tomorrow night", 80_000)
    assert await desk.acd.closes("open end", None)
    await desk.passes(69_999)
    assert ends(desk) == []
    await desk.passes(1)
    assert ends(desk) == [("tonight", "closed")]
    await desk.passes(600_000)
    assert ends(desk)[1:] == [("tomorrow night", "closed")]


async def test_item_that_is_held_at_first_may_come_where_nobody_is_yet(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    terms = policy("any", capacity=1)
    await desk.calls("waits", terms)
    placement = await desk.calls("tomorrow", terms, hold_ms=3_600_000)
    assert (placement.refused, placement.position) == ("", 0)
    await desk.passes(3_600_000)
    assert await desk.acd.position("tomorrow") == 2


async def test_answered_call_minds_no_limit(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call", policy("any", max_wait_ms=5_000), closes_in_ms=6_000)
    await desk.acd.accept(desk.last.token)
    await desk.passes(600_000)
    assert ends(desk) == []
    await desk.acd.agent("8001", intent=Intent.NOT_READY)
    assert await desk.acd.leave("call", reason="completed") is True
