"""What an AGI script and Asterisk say to each other: nothing that could be read as something else, and each reply for
its own command."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from engine.asterisk.agi_session import Session
from engine.asterisk.agi_wire import ASTERISK_BUFFER, AgiError, command_line
from engine.asterisk.dialplan import inert
from engine.flow.leg import HungUp
from tests.unit.fake_asterisk import SOON_S, FakeAsterisk, place, responsive_loop

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
        assert (await asterisk.command()).startswith("WAIT FOR DIGIT ")
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
