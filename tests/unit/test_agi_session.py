"""What an AGI script can do with its call, and what Asterisk answers it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.asterisk.agi_session import Session
from engine.asterisk.agi_wire import ASTERISK_BUFFER, AgiError, command_line
from engine.asterisk.dialplan import inert
from engine.flow.leg import HungUp, Leg
from tests.unit.fake_asterisk import SOON_S, Ears, FakeAsterisk, place, responsive_loop, rooms


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


# What cannot be said.


@pytest.mark.parametrize("name", ["", "A B", "A=1", "SHELL(rm)", "A\nHANGUP", "${A}"])
async def test_a_name_that_is_none_is_not_set(name: str) -> None:
    async def script(session: Session) -> None:
        with pytest.raises(ValueError, match="no name"):
            await session.set_variable(name, "x")
        with pytest.raises(ValueError, match="no name"):
            await session.get_variable(f"{name}(;)")

    async with place(script) as there:
        assert await (await there.call()).obey() == {"HOTLINE_AGI": "ok"}


def test_an_argument_cannot_break_out_of_its_quotes() -> None:
    assert command_line("VERB", 'a "b" \\" c\t', "") == b'VERB "a \\"b\\" \\\\\\" c\t" ""\n'
    for breaking in ("a\nHANGUP", "a\rHANGUP", "a\0"):
        with pytest.raises(ValueError, match="line break"):
            command_line("VERB", breaking)


def test_a_command_that_asterisk_would_read_as_two_is_not_sent() -> None:
    fits = ASTERISK_BUFFER - len('VERB ""\n') - 1
    assert len(command_line("VERB", "x" * fits)) == ASTERISK_BUFFER - 1
    with pytest.raises(ValueError, match="bytes"):
        command_line("VERB", "x" * (fits + 1))
    with pytest.raises(ValueError, match="bytes"):
        command_line("VERB", "张" * 700)


def test_inert_text_keeps_names_and_loses_what_acts() -> None:
    assert inert("O'Brien & 王芳 (北京) +86") == "O'Brien & 王芳 (北京) +86"
    assert inert('${A}$[1]"\\,|\n\r\t\0\u202e') == "A1"


# Replies.


@pytest.mark.parametrize(
    "reply",
    [
        ["510 Invalid or unknown command"],
        [
            "520-Invalid command syntax.  Proper usage follows:",
            "Usage: ANSWER",
            "",
            "200 result=1",
            "520 End of usage.",
        ],
        ["520 Invalid command syntax.  Proper usage not available."],
        ["200 no result"],
    ],
)
async def test_a_refused_command_is_an_error_and_the_next_one_gets_its_own_reply(reply: list[str]) -> None:
    read: list[str] = []

    async def script(session: Session) -> None:
        with pytest.raises(AgiError, match="ANSWER"):
            await session.answer()
        read.append(await session.get_variable("X"))

    async with place(script) as there:
        asterisk = await there.call()
        assert await asterisk.command() == "ANSWER"
        asterisk.say(*reply)
        await asterisk.expect('GET FULL VARIABLE "${URIENCODE(${X})}"', "200 result=1 (mine)")
        assert await asterisk.obey() == {"HOTLINE_AGI": "ok"}
    assert read == ["mine"]


async def ends_by(end: Callable[[FakeAsterisk], None]) -> None:
    """A script waits for a key when `end` happens: HungUp in the script, and the session is over."""
    unwound: list[type[BaseException]] = []

    async def script(session: Session) -> None:
        try:
            await session.digit(60)
        except BaseException as error:
            unwound.append(type(error))
            with pytest.raises(HungUp):
                await session.answer()
            raise

    async with place(script) as there:
        asterisk = await there.call()
        assert await asterisk.command() == 'WAIT FOR DIGIT "60000"'
        async with responsive_loop():
            end(asterisk)
            assert await asterisk.command() == ""
    assert unwound == [HungUp]


async def test_a_hangup_line_in_the_middle_of_a_command_ends_the_script() -> None:
    await ends_by(lambda asterisk: asterisk.say("HANGUP"))


async def test_a_hangup_line_is_not_taken_for_the_reply_that_follows_it() -> None:
    await ends_by(lambda asterisk: asterisk.say("HANGUP", "200 result=53"))


async def test_a_result_of_minus_one_is_a_hangup() -> None:
    await ends_by(lambda asterisk: asterisk.say("200 result=-1", "HANGUP"))


async def test_a_dead_channel_is_a_hangup() -> None:
    await ends_by(lambda asterisk: asterisk.say("511 Command Not Permitted on a dead channel", "HANGUP"))


async def test_the_end_of_the_line_in_the_middle_of_a_command_is_a_hangup() -> None:
    await ends_by(lambda asterisk: asterisk.writer.write_eof())


async def test_half_a_reply_and_then_the_end_is_a_hangup() -> None:
    def half(asterisk: FakeAsterisk) -> None:
        asterisk.writer.write(b"520-Invalid\nUsage:")
        asterisk.writer.write_eof()

    await ends_by(half)


async def test_garbage_instead_of_a_reply_ends_the_session() -> None:
    await ends_by(lambda asterisk: asterisk.writer.write(b"\xff\xfe\0 what\n"))


async def test_an_endless_line_instead_of_a_reply_ends_the_session() -> None:
    await ends_by(lambda asterisk: asterisk.writer.write(b"2" * 100_000))


@pytest.mark.parametrize("line", ["HANGUP", "200 result=0"])
async def test_a_line_nobody_asked_for_ends_a_script_that_waits_for_something_else(line: str) -> None:
    ended = asyncio.Event()
    waiting = asyncio.Event()

    async def script(_: Session) -> None:
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with place(script) as there:
        asterisk = await there.call()
        await waiting.wait()
        asterisk.say(line)
        await asyncio.wait_for(ended.wait(), SOON_S)
        assert await asterisk.command() == ""


async def test_a_command_that_is_never_answered_is_an_error_and_nothing_is_asked_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.asterisk.agi_session.COMMAND_S", 0.05)
    errors: list[str] = []

    async def script(session: Session) -> None:
        for _ in range(2):
            with pytest.raises(AgiError) as error:
                await session.digit(0.05)
            errors.append(str(error.value))

    async with place(script) as there:
        asterisk = await there.call()
        assert await asterisk.command() == 'WAIT FOR DIGIT "50"'
        assert await asterisk.command() == ""
    assert errors == ["WAIT FOR DIGIT: no answer in 0.1 s", "an earlier command was never answered"]


async def test_the_reply_of_a_command_that_was_not_waited_out_is_not_another_ones() -> None:
    async def script(session: Session) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.02):
                await session.digit(1.0)
        assert await session.get_variable("X") == "mine"

    async with place(script) as there:
        asterisk = await there.call()
        assert await asterisk.command() == 'WAIT FOR DIGIT "1000"'
        await asyncio.sleep(0.1)  # the script has long stopped waiting
        asterisk.say("200 result=53")
        await asterisk.expect('GET FULL VARIABLE "${URIENCODE(${X})}"', "200 result=1 (mine)")
        assert await asterisk.obey() == {"HOTLINE_AGI": "ok"}
