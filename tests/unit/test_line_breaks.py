"""The line to Asterisk breaks while something is asked for: what comes of the channels that it was about."""

from __future__ import annotations

import asyncio

import pytest

from engine.asterisk.ari import Ari, AriError
from engine.asterisk.channel import LegEnd
from engine.asterisk.node import LegOf
from tests.unit.fake_ari import SOON_S, FakeAri, channel, line

PHONE = LegOf.AGENT.id("t-1")


async def test_a_leg_that_was_ordered_while_the_line_was_broken_rings_and_is_ours() -> None:
    async with line([channel("caller")]) as there:
        await there.breaks()
        leg, dialled = there.node.originate(PHONE, "PJSIP/8001", caller_id="", originator="caller", timeout_s=5)
        await there.is_back()
        assert await there.node.refusal(leg, dialled) is None
        assert not leg.gone.done()
        there.asterisk.tell("ChannelStateChange", channel(PHONE, state="Up"))
        assert await leg.until(lambda: leg.up, SOON_S)


async def test_a_leg_that_rings_while_the_line_is_broken_rings_on() -> None:
    async with line([channel("caller")]) as there:
        leg, dialled = there.node.originate(PHONE, "PJSIP/8001", caller_id="", originator="caller", timeout_s=5)
        assert await there.node.refusal(leg, dialled) is None
        await there.breaks()
        await there.is_back()
        assert not leg.gone.done()


async def test_a_leg_that_the_broken_line_has_cost_is_lost() -> None:
    async with line([channel("caller")]) as there:
        leg, dialled = there.node.originate(PHONE, "PJSIP/8001", caller_id="", originator="caller", timeout_s=5)
        assert await there.node.refusal(leg, dialled) is None
        await there.breaks()
        del there.asterisk.channels[PHONE]
        await there.is_back()
        assert leg.gone.result().lost


async def test_a_prompt_that_was_ordered_while_the_line_was_broken_is_played_to_its_end() -> None:
    async with line([channel("caller")]) as there:
        caller = there.node.adopt_caller(channel("caller"))
        await there.breaks()
        playing = asyncio.ensure_future(caller.play(["closed"]))
        await there.is_back()
        await there.node.ari.request("GET", "anything")  # answered after the order to play
        assert not playing.done(), "nobody has said that it has ended"
        caller.note_playback_end("caller-p1", failed=False)
        assert await playing is True


async def test_a_prompt_that_may_have_ended_unheard_is_not_waited_for() -> None:
    async with line([channel("caller")]) as there:
        caller = there.node.adopt_caller(channel("caller"))
        playing = asyncio.ensure_future(caller.play(["closed"]))
        await there.asterisk.until_heard("POST channels/caller/play")
        await there.breaks()
        await there.is_back()
        assert await asyncio.wait_for(playing, SOON_S) is True


async def test_a_leg_of_an_engines_that_nobody_waits_for_is_hung_up_and_no_caller() -> None:
    async with line() as there:
        there.asterisk.channels[PHONE] = channel(PHONE, exten="s")
        there.asterisk.tell("StasisStart", channel(PHONE, exten="s"))
        await there.asterisk.until_heard(f"DELETE channels/{PHONE}")
        assert there.arrived == []


async def test_a_channel_that_was_to_end_while_the_line_was_away_too_long_ends_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with line([channel("caller")]) as there:
        caller = there.node.adopt_caller(channel("caller"))
        await there.breaks()
        monkeypatch.setattr(Ari.send, "__kwdefaults__", {**(Ari.send.__kwdefaults__ or {}), "deadline_s": 0.1})
        with pytest.raises(AriError):
            await caller.hang_up(17)
        await there.is_back()
        await caller.until(caller.gone.done, SOON_S)
        assert there.asterisk.channels == {}


@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_caller_whom_the_dialplan_took_back_with_the_lines_last_word_is_left_to_it(goes_on: bool) -> None:
    async with line() as there:
        caller = there.node.adopt_caller(channel("caller"))
        there.asterisk.channels["caller"] = channel("caller")
        there.asterisk.answers = False
        giving = there.node.go_on(caller) if goes_on else there.node.hand_back(caller, "fallback")
        given = asyncio.ensure_future(giving)
        await there.asterisk.until_heard("POST channels/caller/continue")
        await there.is_back()
        await asyncio.wait_for(given, SOON_S)
        assert not caller.gone.result().lost
        caller.drop()
        await there.node.ari.request("GET", "anything")
        assert "caller" in there.asterisk.channels


async def test_whoever_is_in_the_dialplan_again_is_not_hung_up_on_by_an_order_from_before() -> None:
    async with line([channel("caller")]) as there:
        caller = there.node.adopt_caller(channel("caller"))
        await there.breaks()
        caller.drop()
        there.asterisk.channels["caller"] = channel("caller", app="Queue")
        await there.is_back()
        assert not caller.gone.result().lost
        await there.node.ari.request("GET", "anything")
        assert "caller" in there.asterisk.channels


async def test_who_leaves_while_the_list_of_channels_is_on_its_way_is_no_stranger() -> None:
    asterisk = FakeAri()
    asterisk.on_list = lambda: asterisk.tell("ChannelDestroyed", channel("caller"), cause=16)
    async with line([channel("caller"), channel("other")], asterisk=asterisk) as there:
        assert [about["id"] for about in there.strangers] == ["other"]


async def test_a_call_that_ours_was_until_just_now_is_no_stranger_either() -> None:
    async with line([channel("caller")]) as there:
        caller = there.node.adopt_caller(channel("caller"))
        there.strangers.clear()
        await there.breaks()
        there.asterisk.on_list = lambda: there.asterisk.tell("ChannelDestroyed", channel("caller"), cause=16)
        await there.is_back()
        assert caller.gone.result() == LegEnd(16)
        assert there.strangers == []


async def test_who_leaves_before_their_call_has_been_found_has_left_when_it_is() -> None:
    async with line([channel("caller")]) as there:
        there.asterisk.tell("StasisEnd", channel("caller"))
        await there.node.ari.request("GET", "anything")
        (about,) = there.strangers
        assert there.node.adopt_caller(about).gone.result() == LegEnd()


async def test_who_comes_while_the_list_of_channels_is_on_its_way_is_not_lost() -> None:
    async with line() as there:
        await there.breaks()
        there.asterisk.on_list = lambda: there.asterisk.tell("StasisStart", channel("caller"))
        await there.is_back()
        (arrival,) = there.arrived
        assert not arrival.leg.gone.done()
        there.asterisk.tell("ChannelDestroyed", channel("caller"), cause=16)
        await arrival.leg.until(arrival.leg.gone.done, SOON_S)
        assert arrival.leg.gone.result() == LegEnd(16)


async def test_a_caller_lent_twice_while_the_list_of_channels_is_on_its_way_is_there() -> None:
    def lend_again() -> None:
        there.asterisk.tell("StasisEnd", channel("caller"))
        there.asterisk.tell("StasisStart", channel("caller"))

    async with line([channel("caller")]) as there:
        before = there.node.adopt_caller(channel("caller"))
        await there.breaks()
        there.asterisk.on_list = lend_again
        await there.is_back()
        assert before.gone.done()
        assert not there.arrived[0].leg.gone.done()
