"""What an AGI script can do with its call."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.asterisk.agi_session import Session
from engine.flow.leg import Leg
from tests.unit.fake_asterisk import SOON_S, Ears, FakeAsterisk, place, rooms


async def test_a_script_gets_the_call_and_sets_variables() -> None:
    seen: list[Session] = []

    async def script(session: Session) -> None:
        leg: Leg = session
        await leg.answer()
        await session.set_variable("GREETING", 'say "你好", ${EXTEN}')
        seen.append(session)

    async with place(script) as there:
        asterisk = await there.call(arg_1="first", arg_2="", arg_3="third")
        await asterisk.expect("ANSWER", "200 result=0")
        await asterisk.expect('SET VARIABLE "GREETING" "say 你好 EXTEN"', "200 result=1")
        assert await asterisk.obey() == {"HOTLINE_AGI": "ok"}
    (session,) = seen
    assert session.arguments == ("first", "", "third")
    assert (session.caller.number, session.caller.area) == ("+8613800138000", "北京市")
    assert (session.dialled, session.call_id, session.language) == ("4008001234", "1763726400.7", "zh-CN")


# What a leg does.


async def test_a_key_cuts_prompts_short_and_is_the_next_digit() -> None:
    async def script(session: Session) -> None:
        assert not await session.play(["welcome", "menu-main"])
        assert not await session.play(["menu-main"])  # the key is still there
        assert await session.digit(2.5) == "5"
        assert await session.digit(0.05) is None
        assert await session.play(["goodbye"], stops="")

    async with place(script) as there:
        asterisk = await there.call()
        await asterisk.expect('STREAM FILE "/sounds/zh-CN/welcome" "0123456789*#"', "200 result=53 endpos=800")
        await no_key(asterisk)
        await asterisk.expect('STREAM FILE "/sounds/zh-CN/goodbye" ""', "200 result=0 endpos=800")
        assert await asterisk.obey() == {"HOTLINE_AGI": "ok"}


async def no_key(asterisk: FakeAsterisk) -> None:
    """Waits for a key, as long as is asked, in vain."""
    verb, wait_ms, _ = (await asterisk.command()).split('"')
    assert verb == "WAIT FOR DIGIT "
    await asyncio.sleep(int(wait_ms) / 1000)
    asterisk.say("200 result=0")


async def test_a_key_that_may_not_stop_a_prompt_stays_for_the_next_step() -> None:
    async def script(session: Session) -> None:
        session.press("1", 0.1)
        assert await session.play(["welcome"], stops="#")
        assert await session.digit(1) == "1"

    async with place(script) as there:
        asterisk = await there.call()
        await asterisk.expect('STREAM FILE "/sounds/zh-CN/welcome" "#"', "200 result=0 endpos=800")
        assert await asterisk.obey() == {"HOTLINE_AGI": "ok"}


async def test_a_key_between_two_commands_is_heard_and_kept() -> None:
    ears = Ears(works=True)
    thinking = asyncio.Event()

    async def script(session: Session) -> None:
        await thinking.wait()
        assert not await session.play(["welcome"])
        assert [await session.digit(1), await session.digit(1)] == ["4", "2"]
        assert await session.digit(0.01) is None

    async with place(script, of=rooms(ears=ears)) as there:
        asterisk = await there.call()
        await asyncio.wait_for(ears.somebody.wait(), SOON_S)
        ears.press("4", "2")
        thinking.set()
        assert await asterisk.obey() == {"HOTLINE_AGI": "ok"}


async def test_a_key_that_is_heard_and_also_in_the_reply_is_one() -> None:
    ears = Ears(works=True)

    async def script(session: Session) -> None:
        for _ in range(2):
            assert not await session.play(["welcome"])
            assert await session.digit(1) == "5"
            assert await session.digit(0.2) is None  # it is pressed once, and then let be for a moment

    async with place(script, of=rooms(ears=ears)) as there:
        asterisk = await there.call()
        for heard_first in (True, False):
            assert (await asterisk.command()).startswith("STREAM FILE")
            if heard_first:
                ears.press("5")
            asterisk.say("200 result=53 endpos=800")
            if not heard_first:
                await asyncio.sleep(0.01)
                ears.press("5")
        assert await asterisk.obey() == {"HOTLINE_AGI": "ok"}


async def test_a_key_of_a_reply_that_is_never_heard_counts_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.asterisk.agi_session.HEARD_S", 0.02)

    async def script(session: Session) -> None:
        assert not await session.play(["welcome"])
        assert await session.digit(1) == "5"

    async with place(script, of=rooms(ears=Ears(works=True))) as there:
        asterisk = await there.call()
        assert (await asterisk.command()).startswith("STREAM FILE")
        asterisk.say("200 result=53 endpos=800")
        assert await asterisk.obey() == {"HOTLINE_AGI": "ok"}


async def test_a_digit_that_is_waited_for_comes_as_soon_as_it_is_heard() -> None:
    ears = Ears(works=True)
    waiting = asyncio.Event()

    async def script(session: Session) -> None:
        waiting.set()
        assert await session.digit(60) == "7"

    async with place(script, of=rooms(ears=ears)) as there:
        asterisk = await there.call()
        await waiting.wait()
        ears.press("7")
        assert await asterisk.obey() == {"HOTLINE_AGI": "ok"}


async def test_keys_that_one_script_leaves_are_there_for_the_call_s_next_one_and_nobody_else_s() -> None:
    ears = Ears(works=True)
    thinking = asyncio.Event()
    taken: list[str | None] = []

    async def leaves(session: Session) -> None:
        await thinking.wait()

    async def takes(session: Session) -> None:
        taken.append(await session.digit(0.01))

    async with place(leaves, of=rooms(ears=ears), scripts={"takes": takes}) as there:
        asterisk = await there.call()
        await asyncio.wait_for(ears.somebody.wait(), SOON_S)
        ears.press("3")
        thinking.set()
        await asterisk.obey()
        await (await there.call(network_script="takes", uniqueid="1763726400.8")).obey()
        await (await there.call(network_script="takes")).obey()
        await (await there.call(network_script="takes")).obey()
    assert taken == [None, "3", None]


async def test_a_call_that_is_up_already_is_not_answered_again() -> None:
    async def script(session: Session) -> None:
        await session.answer()
        assert session.up

    async with place(script) as there:
        assert await (await there.call(state="Up")).obey() == {"HOTLINE_AGI": "ok"}
        asterisk = await there.call(state="Ring")
        await asterisk.expect("ANSWER", "200 result=0")
        assert await asterisk.obey() == {"HOTLINE_AGI": "ok"}


async def test_music_stops_for_a_prompt() -> None:
    async def script(session: Session) -> None:
        await session.hold_music(True, "jazz")
        await session.play(["welcome", "welcome@en"])
        await session.hang_up(17)

    async with place(script) as there:
        asterisk = await there.call(language="zh_CN")
        await asterisk.expect('SET MUSIC "on" "jazz"', "200 result=0")
        await asterisk.expect('SET MUSIC "off"', "200 result=0")
        await asterisk.expect('STREAM FILE "/sounds/zh-CN/welcome" "0123456789*#"', "200 result=0 endpos=800")
        await asterisk.expect('STREAM FILE "/sounds/en/welcome" "0123456789*#"', "200 result=0 endpos=800")
        await asterisk.expect('EXEC "Hangup" "17"', "200 result=-1")


SAID = Path("/state/said.wav")


async def test_a_recording_ends_by_a_key_that_is_no_digit_of_what_follows() -> None:
    ears = Ears(works=True)

    async def script(session: Session) -> None:
        said = await session.record(SAID, longest_s=30, silence_s=2.5)
        assert (said.file, said.duration_s, said.key) == (SAID, 1.5, "#")
        assert await session.digit(0.01) is None

    async with place(script, of=rooms(ears=ears)) as there:
        asterisk = await there.call()
        assert await asterisk.command() == 'RECORD FILE "/state/said" "wav" "#" "30000" "s=3"'
        ears.press("#")
        asterisk.say("200 result=35 (dtmf) endpos=12000")
        assert await asterisk.obey() == {"HOTLINE_AGI": "ok"}


async def test_a_recording_of_a_caller_who_hangs_up_is_a_hangup() -> None:
    async def script(session: Session) -> None:
        await session.record(SAID, longest_s=30, silence_s=2)

    async with place(script) as there:
        asterisk = await there.call()
        await asterisk.expect(
            'RECORD FILE "/state/said" "wav" "#" "30000" "s=2"', "200 result=-1 (hangup) endpos=12000"
        )
        assert await asterisk.command() == ""


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("200 result=1 (13800138000)", "13800138000"),
        ("200 result=1 (%E5%BC%A0%29%0A200%20result%3D0)", "张)\n200 result=0"),
        ("200 result=1 ()", ""),
        ("200 result=0", ""),
    ],
)
async def test_a_variable_is_read_whatever_is_in_it(reply: str, value: str) -> None:
    read: list[str] = []

    async def script(session: Session) -> None:
        read.append(await session.get_variable("CALLERID(num)"))

    async with place(script) as there:
        asterisk = await there.call()
        await asterisk.expect('GET FULL VARIABLE "${URIENCODE(${CALLERID(num)})}"', reply)
        await asterisk.obey()
    assert read == [value]
