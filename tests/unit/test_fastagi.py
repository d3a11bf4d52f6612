"""The FastAGI server: peers that are no Asterisk, scripts that fail, many at once, and the end."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engine.asterisk import agi_scripts, fastagi
from engine.asterisk.agi_session import Session
from engine.asterisk.fastagi import FastAgi
from tests.unit.fake_asterisk import FACTS, SOON_S, FakeSite, place, responsive_loop, rooms

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


async def test_scripts_are_exchanged_for_the_next_calls_and_the_running_ones_stay_as_they_are(tmp_path: Path) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def old(session: Session) -> None:
        inside.set()
        await go_on.wait()
        await session.set_variable("I", f"old {session.rooms.site.sound('x', 'en')}")

    class Louder(FakeSite):
        def sound(self, prompt: str, language: str) -> str:
            return f"/louder/{prompt}"

    async with place(old) as there:
        running = await there.call()
        await inside.wait()
        write(
            tmp_path,
            script=RUN,
            added="async def run(s):\n    await s.set_variable('I', s.rooms.site.sound('x', 'en'))\n",
        )
        there.server.use(agi_scripts.load(tmp_path), rooms(site=Louder()))
        assert (await (await there.call(network_script="added")).obey())["I"] == "/louder/x"
        assert "HERE" in await (await there.call()).obey()
        go_on.set()
        assert (await running.obey())["I"] == "old /sounds/en/x"


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
            assert (await call.command()).startswith("WAIT FOR DIGIT ")
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
