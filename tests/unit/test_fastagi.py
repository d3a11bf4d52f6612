"""The FastAGI server over real sockets, with an Asterisk that is good, slow, mad or gone."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from engine.asterisk import agi_scripts, fastagi
from engine.asterisk.agi_scripts import Run
from engine.asterisk.agi_session import Rooms, Session, inert
from engine.asterisk.agi_wire import ASTERISK_BUFFER, AgiError, command_line
from engine.asterisk.fastagi import FastAgi
from engine.flow.leg import HungUp, Leg
from engine.identity.contract import Customer, Outcome
from engine.identity.endpoint import Answer, NoIdentity

SHIPPED = Path(__file__).resolve().parents[2] / "agi_scripts"
SOON_S = 3.0

FACTS = {
    "network": "yes",
    "network_script": "script",
    "request": "agi://127.0.0.1:5064/script",
    "channel": "PJSIP/carrier-00000001",
    "language": "zh",
    "uniqueid": "1763726400.7",
    "callerid": "13800138000",
    "calleridname": "unknown",
    "callingpres": "0",
    "dnid": "4008001234",
    "extension": "4008001234",
    "threadid": "140",
}


class FakeAsterisk:
    """Asterisk's end of one session, line by line."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self.variables: dict[str, str] = {}

    def tell(self, facts: Mapping[str, str]) -> None:
        self.say(*(f"agi_{name}: {value}" for name, value in facts.items()), "")

    async def synchronise(self) -> None:
        """Says back what no caller can know."""
        verb, nonce, _ = (await self.command()).split('"')
        assert verb == "GET FULL VARIABLE "
        self.say(f"200 result=1 ({nonce})")

    def say(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\n" for line in lines).encode())

    async def command(self) -> str:
        """The next command; "" when the engine has closed."""
        try:
            line = await asyncio.wait_for(self._reader.readline(), SOON_S)
        except ConnectionResetError:  # closed before it had read all that we said
            return ""
        return line.decode().removesuffix("\n")

    async def expect(self, command: str, reply: str) -> None:
        assert await self.command() == command
        self.say(reply)

    async def obey(self) -> dict[str, str]:
        """Sets whatever variable is to be set, until the engine closes; gives them all."""
        while command := await self.command():
            verb, name, value, _ = command.split('"', 1)[0], *command.split('"')[1::2], ""
            assert verb == "SET VARIABLE "
            self.variables[name] = value
            self.say("200 result=1")
        return self.variables


async def nothing(_: Session) -> None:
    """A script with nothing to do."""


class Place:
    """A server with its scripts, and as many Asterisks as a test wants."""

    def __init__(self, server: FastAgi, port: int) -> None:
        self.server, self.port = server, port
        self._asterisks: list[FakeAsterisk] = []

    async def connect(self) -> FakeAsterisk:
        asterisk = FakeAsterisk(*await asyncio.open_connection("127.0.0.1", self.port))
        self._asterisks.append(asterisk)
        return asterisk

    async def close(self) -> None:
        await self.server.close()
        for asterisk in self._asterisks:
            asterisk.writer.close()
            with contextlib.suppress(ConnectionError):
                await asterisk.writer.wait_closed()

    async def call(self, **facts: str) -> FakeAsterisk:
        """A call whose script has been begun."""
        asterisk = await self.connect()
        asterisk.tell({**FACTS, **facts})
        await asterisk.synchronise()
        return asterisk


@asynccontextmanager
async def place(
    script: Run | None = nothing, *, rooms: Rooms | None = None, scripts: Mapping[str, Run | None] = {}, **options: Any
) -> AsyncIterator[Place]:
    rooms = rooms or Rooms(NoIdentity(), lambda prompt, language: f"/sounds/{language}/{prompt}")
    server = FastAgi({"script": script, **scripts}, rooms, **options)
    there = Place(server, await server.open(0))
    try:
        yield there
    finally:
        await there.close()


@asynccontextmanager
async def responsive_loop() -> AsyncIterator[None]:
    """Fails when the event loop is starved meanwhile: somebody spins."""
    loop = asyncio.get_running_loop()
    gaps: list[float] = []

    async def watch() -> None:
        while True:
            before = loop.time()
            await asyncio.sleep(0.005)
            gaps.append(loop.time() - before)

    watching = asyncio.create_task(watch())
    try:
        yield
        await asyncio.sleep(0.05)  # what spins does so until then
    finally:
        watching.cancel()
    assert len(gaps) >= 3, "the loop was not free once"
    assert max(gaps) < 0.5, f"the loop stood still for {max(gaps):.2f} s"


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


@pytest.mark.parametrize(
    ("facts", "presentation", "number"),
    [
        ({}, "allowed", "+8613800138000"),
        ({"callingpres": "3"}, "allowed", "+8613800138000"),
        ({"callingpres": "32"}, "restricted", ""),
        ({"callingpres": "35"}, "restricted", ""),
        ({"callingpres": "67"}, "unavailable", ""),
        ({"callerid": "unknown"}, "unavailable", ""),
        ({"calleridname": "Anonymous"}, "restricted", ""),
        ({"callingpres": "nonsense"}, "allowed", "+8613800138000"),
    ],
)
async def test_area_says_where_a_number_is_from_and_nothing_about_a_hidden_one(
    facts: dict[str, str], presentation: str, number: str
) -> None:
    async with place(scripts=agi_scripts.load(SHIPPED)) as there:
        variables = await (await there.call(network_script="area", **facts)).obey()
    known = presentation == "allowed"
    assert variables == {
        "HOTLINE_NUMBER": number,
        "HOTLINE_AREA": "北京市" if known else "",
        "HOTLINE_CARRIER": "中国移动" if known else "",
        "HOTLINE_PRESENTATION": presentation,
        "HOTLINE_AGI": "ok",
    }


class KnowsEverybody(NoIdentity):
    """An identity endpoint whose customers have names that mean harm."""

    async def look_up(self, *_: Any, **__: Any) -> Answer:
        return Answer(Outcome.OK, Customer(name='${SHELL(id)}"] & 张|三,1\\', tier="VIP"))


async def test_what_the_endpoint_calls_a_customer_cannot_act_in_the_dialplan() -> None:
    rooms = Rooms(KnowsEverybody(), lambda prompt, _: prompt)
    async with place(rooms=rooms, scripts=agi_scripts.load(SHIPPED)) as there:
        variables = await (await there.call(network_script="caller_lookup")).obey()
    assert variables == {
        "HOTLINE_IDENTITY": "ok",
        "HOTLINE_NAME": "SHELL(id) & 张三1",
        "HOTLINE_TIER": "VIP",
        "HOTLINE_AGI": "ok",
    }


async def test_an_unknown_caller_has_an_empty_name_and_tier() -> None:
    async with place(scripts=agi_scripts.load(SHIPPED)) as there:
        variables = await (await there.call(network_script="caller_lookup")).obey()
    assert (variables["HOTLINE_IDENTITY"], variables["HOTLINE_NAME"], variables["HOTLINE_TIER"]) == (
        "not_found",
        "",
        "",
    )


# What a leg does.


async def test_a_key_cuts_prompts_short_and_is_the_next_digit() -> None:
    async def script(session: Session) -> None:
        assert not await session.play(["welcome", "menu-main"])
        assert not await session.play(["menu-main"])  # the key is still there
        assert await session.digit(2.5) == "5"
        assert await session.digit(2.5) is None
        assert await session.play(["goodbye"], interruptible=False)

    async with place(script) as there:
        asterisk = await there.call()
        await asterisk.expect('STREAM FILE "/sounds/zh-CN/welcome" "0123456789*#"', "200 result=53 endpos=800")
        await asterisk.expect('WAIT FOR DIGIT "2500"', "200 result=0")
        await asterisk.expect('STREAM FILE "/sounds/zh-CN/goodbye" ""', "200 result=0 endpos=800")
        assert await asterisk.obey() == {"HOTLINE_AGI": "ok"}


async def test_music_stops_for_a_prompt() -> None:
    async def script(session: Session) -> None:
        await session.hold_music(True)
        await session.play(["welcome"])
        await session.hang_up()

    async with place(script) as there:
        asterisk = await there.call(language="en")
        await asterisk.expect('SET MUSIC "on"', "200 result=0")
        await asterisk.expect('SET MUSIC "off"', "200 result=0")
        await asterisk.expect('STREAM FILE "/sounds/en/welcome" "0123456789*#"', "200 result=0 endpos=800")
        await asterisk.expect("HANGUP", "200 result=1")


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


# Peers that are no Asterisk.


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "ended before the blank line"),
        (b"agi_network: yes\nagi_net", "ended before the blank line"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "a line that is no `agi_…: …`"),
        (b"\xff\xff\0\n\n", "a line that is no `agi_…: …`"),
        (b"agi_a: " + b"x" * 40_000, "a line longer than 16384 bytes"),
        (b"".join(b"agi_%d: x\n" % n for n in range(101)), "more than 100 lines before the blank line"),
        (
            b"".join(b"agi_%d: %b\n" % (n, b"x" * 1000) for n in range(20)),
            "more than 16384 bytes before the blank line",
        ),
    ],
)
async def test_what_is_no_request_is_closed_and_named_in_the_log(sent: bytes, said: str) -> None:
    async with place() as there:
        with capture_logs() as logs:
            asterisk = await there.connect()
            async with responsive_loop():
                asterisk.writer.write(sent)
                asterisk.writer.write_eof()
                assert await asterisk.command() == ""
                await until_empty(there.server)
        assert [(line["event"], line["said"]) for line in logs] == [("agi.not_agi", said)]
        assert await (await there.call()).obey() == {"HOTLINE_AGI": "ok"}


async def until_empty(server: FastAgi) -> None:
    if server._connections:
        _, there = await asyncio.wait(server._connections, timeout=SOON_S)
        assert not there


async def test_peers_that_say_nothing_more_are_closed_in_time() -> None:
    async with place(header_s=0.15) as there:
        with capture_logs() as logs:
            silent = [await there.connect() for _ in range(20)]
            for asterisk in silent[::2]:
                asterisk.say("agi_network: yes")
            async with responsive_loop():
                for asterisk in silent:
                    assert await asterisk.command() == ""
            await until_empty(there.server)
        assert [line["event"] for line in logs] == ["agi.slow_peer"] * 20


async def test_a_slow_header_in_small_pieces_is_still_one() -> None:
    async with place() as there:
        asterisk = await there.connect()
        for name, value in FACTS.items():
            for piece in (f"agi_{name}:", f" {value}", "\n"):
                asterisk.writer.write(piece.encode())
                await asyncio.sleep(0.001)
        asterisk.say("")
        await asterisk.synchronise()
        assert await asterisk.obey() == {"HOTLINE_AGI": "ok"}


@pytest.mark.parametrize(
    "number",
    [
        "1\nagi_network_script: forbidden",
        "1\nagi_dnid: 4009999999",
        "1\nagi_arg_1: forged",
        "1\nagi_threadid: 1\nagi_arg_1: forged",
        "1\nforged",
        "1\n",
        "1\nagi_threadid: 1\n\n200 result=1",
        "1\n\n200 result=1 (0123456789abcdef)\n" + "200 result=1\n" * 20,
        "1\n\nHANGUP",
    ],
)
async def test_a_caller_whose_number_holds_line_breaks_forges_nothing(number: str) -> None:
    async def forbidden(_: Session) -> None:
        pytest.fail("a script has been run")

    async with place(forbidden, scripts={"forbidden": forbidden}) as there:
        asterisk = await there.connect()
        asterisk.tell({**FACTS, "callerid": number, "dnid": "4008001234"})
        assert (await asterisk.command()).partition('"')[0] in ("", "GET FULL VARIABLE ")
        assert await asterisk.command() == ""
        await until_empty(there.server)


# Scripts that fail.


async def test_a_broken_script_fails_its_own_calls_only_with_its_traceback_in_the_log() -> None:
    async def broken(_: Session) -> None:
        raise ZeroDivisionError("by design")

    async with place(scripts={"broken": broken}) as there:
        with capture_logs() as logs:
            assert await (await there.call(network_script="broken")).obey() == {"HOTLINE_AGI": "error"}
        (line,) = logs
        assert (line["event"], line["script"], line["exc_info"]) == ("agi.script_failed", "broken", True)
        assert await (await there.call()).obey() == {"HOTLINE_AGI": "ok"}


async def test_a_script_that_exits_does_not_take_the_engine_with_it() -> None:
    async def leaves(_: Session) -> None:
        raise SystemExit(0)

    async with place(leaves) as there:
        assert await (await there.call()).obey() == {"HOTLINE_AGI": "error"}


@pytest.mark.parametrize("name", ["no_such", "", "../area", "script?x=1", "__init__"])
async def test_a_missing_script_is_told_to_the_dialplan_and_the_log(name: str) -> None:
    async with place() as there:
        with capture_logs() as logs:
            assert await (await there.call(network_script=name)).obey() == {"HOTLINE_AGI": "notfound"}
        (line,) = logs
        assert (line["event"], line["script"], line["there_are"]) == ("agi.no_such_script", name, ["script"])


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


RUN = "async def run(session):\n    await session.set_variable('HERE', __name__)\n"


async def test_a_script_that_cannot_be_loaded_is_named_with_its_line_and_the_others_run(tmp_path: Path) -> None:
    write(
        tmp_path,
        good=RUN,
        syntax="x = 1\n\ndef run(:\n",
        imports="import os\nimport no_such_module_anywhere\n" + RUN,
        leaves="import sys\n\n\nsys.exit(0)\n",
        plain="def run(session):\n    pass\n",
        nothing="",
        Bad9=RUN,
    )
    with capture_logs() as logs:
        scripts = agi_scripts.load(tmp_path)
    told = {Path(line["file"]).stem: (line["line"], line["error"]) for line in logs}
    assert [line["event"] for line in logs] == ["agi.script_unusable"] * 6
    assert told["syntax"][0] == 3
    assert told["syntax"][1].startswith("SyntaxError")
    assert told["imports"] == (2, "ModuleNotFoundError: No module named 'no_such_module_anywhere'")
    assert told["leaves"] == (4, "SystemExit: 0")
    assert told["plain"][1] == told["nothing"][1] == "there is no `async def run(session: Session) -> None`"
    assert told["Bad9"][1] == "a script's name is made of a-z and _ only"
    async with place(scripts=scripts) as there:
        variables = await (await there.call(network_script="good")).obey()
        assert variables == {"HERE": "site_agi_scripts.good", "HOTLINE_AGI": "ok"}
        assert await (await there.call(network_script="syntax")).obey() == {"HOTLINE_AGI": "error"}


def test_a_site_without_scripts_has_none(tmp_path: Path) -> None:
    assert agi_scripts.load(tmp_path / "agi_scripts") == {}


# Many at once, and the end.


async def test_200_scripts_run_at_once_and_the_201st_caller_is_told_that_it_is_busy() -> None:
    go_on = asyncio.Event()
    all_in = asyncio.Semaphore(0)

    async def script(session: Session) -> None:
        all_in.release()
        await go_on.wait()
        await session.set_variable("MINE", session.call_id)

    async with place(script) as there:
        calls = [await there.call(uniqueid=str(n)) for n in range(fastagi.MOST_SESSIONS)]
        async with asyncio.timeout(SOON_S):
            for _ in calls:
                await all_in.acquire()
        with capture_logs() as logs:
            assert await (await there.call()).obey() == {"HOTLINE_AGI": "busy"}
        assert [line["event"] for line in logs] == ["agi.busy"]
        go_on.set()
        said = await asyncio.gather(*(call.obey() for call in calls))
        assert said == [{"MINE": str(n), "HOTLINE_AGI": "ok"} for n in range(len(calls))]
        assert await (await there.call()).obey() == {"MINE": FACTS["uniqueid"], "HOTLINE_AGI": "ok"}


async def test_connections_without_number_are_closed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastagi, "MOST_CONNECTIONS", 10)
    async with place() as there:
        silent = [await there.connect() for _ in range(10)]
        with capture_logs() as logs:
            assert await (await there.connect()).command() == ""
        assert [line["event"] for line in logs] == ["agi.too_many_connections"]
        before = set(there.server._connections)
        silent[0].writer.close()
        await asyncio.wait(before, timeout=SOON_S, return_when=asyncio.FIRST_COMPLETED)
        assert await (await there.call()).obey() == {"HOTLINE_AGI": "ok"}


async def test_closing_ends_the_scripts_that_run_and_waits_for_them() -> None:
    ended: list[str] = []

    async def script(session: Session) -> None:
        try:
            await session.digit(60)
        finally:
            await asyncio.sleep(0.05)
            ended.append(session.call_id)

    async with place(script) as there:
        calls = [await there.call(uniqueid=str(n)) for n in range(5)]
        for call in calls:
            assert await call.command() == 'WAIT FOR DIGIT "60000"'
        await there.server.close()
        assert sorted(ended) == list("01234")
        for call in calls:
            assert await call.command() == ""
        with pytest.raises(OSError, match="onnect"):
            await there.connect()


async def test_a_script_that_will_not_end_is_named_and_does_not_hold_up_the_shutdown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fastagi, "ENDS_S", 0.1)
    inside, let_go = asyncio.Event(), asyncio.Event()

    async def script(_: Session) -> None:
        inside.set()
        while not let_go.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await let_go.wait()

    async with place(script) as there:
        asterisk = await there.call()
        await inside.wait()
        with capture_logs() as logs:
            asterisk.say("HANGUP")
            assert await asterisk.command() == ""
        assert [line["event"] for line in logs] == ["agi.script_will_not_end"]
        let_go.set()
