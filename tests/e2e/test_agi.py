"""The site's AGI scripts, called from hand-written dialplan by a real Asterisk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.e2e.hotline import Hotline
from tests.e2e.scene import GREETING_HZ, MENU_HZ, SOON_S, Scene
from tests.e2e.site_of_tones import VIP, VIP_NAME
from tests.e2e.waiting import until, until_none

pytestmark = pytest.mark.asyncio(loop_scope="session")

# An extension a script. What the script has set can be read from the channel for as long as the caller stays.
DIALPLAN = """
[from-trunk]
exten => 4007770001,1,AGI(${AGI}/area,city)
 same => n,Goto(done,1)
exten => 4007770002,1,AGI(${AGI}/caller_lookup)
 same => n,Goto(done,1)
exten => 4007770003,1,Set(ODD=a "b" (c) \\\\ ${ARRAY}%0A 张三, 李四)
 same => n,AGI(${AGI}/echo,first,"second, quoted",)
 same => n,Goto(done,1)
exten => 4007770004,1,AGI(${AGI}/greeting)
 same => n,Goto(done,1)
exten => 4007770005,1,AGI(${AGI}/no_such_script)
 same => n,Goto(done,1)
exten => 4007770006,1,AGI(${AGI}/broken)
 same => n,Goto(done,1)
exten => 4007770007,1,AGI(${AGI}/unloadable)
 same => n,Goto(done,1)
exten => 4007770008,1,AGI(${AGI}/patient)
 same => n,Goto(done,1)
exten => 4007770009,1,AGI(${AGI}/thinks)
 same => n,AGI(${AGI}/collect,order,ask=welcome,min=4,max=4,tries=1)
 same => n,Goto(done,1)
exten => 4007770010,1,AGI(${AGI}/menu,main/menu)
 same => n,Goto(done,1)
exten => 4007770011,1,AGI(${AGI}/menu,welcome,kyes=1)
 same => n,Goto(done,1)
exten => done,1,Set(DONE=${AGISTATUS})
 same => n,Answer()
 same => n,Wait(60)
"""

SCRIPTS = {
    "echo": """
async def run(session):
    odd = await session.get_variable("ODD")
    await session.set_variable("LETTERS", f"{len(odd)} {odd.count(chr(34))}")
    await session.set_variable("ARGUMENTS", " / ".join(session.arguments))
    await session.set_variable("NONE", "set" if await session.get_variable("NO_SUCH_VARIABLE") else "unset")
    await session.set_variable("DIALLED", session.dialled)
""",
    "greeting": """
async def run(session):
    await session.answer()
    while await session.play(["welcome"]):
        pass
    await session.set_variable("KEY", await session.digit(5.0) or "none")
    await session.set_variable("NEXT", await session.digit(0.2) or "none")
""",
    "thinks": """
import asyncio


async def run(session):
    await session.answer()
    async with asyncio.timeout(10):
        while len(session.digits) < 3:
            await asyncio.sleep(0.01)
""",
    "broken": """
async def run(session):
    return 1 / 0
""",
    "unloadable": """
import asyncio

x = = 1
""",
    "patient": """
import asyncio


async def run(session):
    await session.answer()
    if session.caller.number.endswith("1"):
        await session.digit(60)
    else:
        await asyncio.sleep(60)
""",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hotline() -> AsyncIterator[Hotline]:
    """A hotline of its own, whose site has these scripts and this dialplan."""
    hotline = Hotline()
    (hotline.site / "dialplan/agi.conf").write_text(DIALPLAN)
    for name, text in SCRIPTS.items():
        (hotline.site / f"agi_scripts/{name}.py").write_text(text)
    try:
        await hotline.open()
        yield hotline
    finally:
        await hotline.close()


async def variables(scene: Scene, *names: str) -> dict[str, str]:
    """Of the one channel there is, once its script is done."""
    found: dict[str, str] = {}

    async def done() -> bool:
        for channel in await scene.hotline.ari("channels"):
            found.update(await _read(scene.hotline, channel["id"], ("DONE", "HOTLINE_AGI", *names)))
        return found.get("DONE", "-") != "-"

    await until(done, within=SOON_S, what="the script is done")
    return found


async def _read(hotline: Hotline, channel: str, names: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = (await hotline.ari(f"channels/{channel}/variable?variable={name}"))["value"]
        except aiohttp.ClientResponseError:  # 404: it is not set, or the channel has gone
            found[name] = "-"
    return found


def engine_log(hotline: Hotline) -> str:
    return (hotline.state.log / "engine.log").read_text()


def sessions(hotline: Hotline) -> list[str]:
    """AGI connections that the engine holds (proc_pid_net(5): local address, remote address, 01 = established)."""
    port = f"0100007F:{hotline.ports.agi:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [f"AGI connection with {row[2]}" for row in rows if row[1] == port and row[3] == "01"]


CROWD = 200


async def heard(hotline: Hotline) -> list[str]:
    """The channels whose keys Asterisk tells the engine."""
    channels: list[str] = (await hotline.ari("applications/hotline"))["channel_ids"]
    return channels


async def test_area_tells_the_dialplan_where_the_caller_is_from(scene: Scene) -> None:
    await scene.dial("013800138000", number="4007770001", accounted=False)
    facts = [f"HOTLINE_CALLER_{fact}" for fact in ("NUMBER", "AREA", "CARRIER", "PRESENTATION", "CITY")]
    assert await variables(scene, *facts, "HOTLINE_OUTCOME") == {
        "HOTLINE_CALLER_NUMBER": "+8613800138000",
        "HOTLINE_CALLER_AREA": "北京市",
        "HOTLINE_CALLER_CARRIER": "中国移动",
        "HOTLINE_CALLER_PRESENTATION": "allowed",
        "HOTLINE_CALLER_CITY": "北京",
        "HOTLINE_OUTCOME": "北京",
        "HOTLINE_AGI": "ok",
        "DONE": "SUCCESS",
    }


async def test_a_caller_who_hides_has_no_number_in_the_dialplan_either(scene: Scene) -> None:
    headers = {"Privacy": "id", "P-Asserted-Identity": f"<sip:{VIP}@127.0.0.2>"}
    await scene.dial("anonymous", number="4007770001", headers=headers, accounted=False)
    found = await variables(scene, "HOTLINE_CALLER_NUMBER", "HOTLINE_CALLER_AREA", "HOTLINE_CALLER_PRESENTATION")
    del found["DONE"], found["HOTLINE_AGI"]
    assert list(found.values()) == ["", "", "restricted"]


async def test_a_caller_whose_number_holds_line_breaks_runs_no_script(scene: Scene) -> None:
    for number in ("1%0Aagi_arg_1:%20forged", "1%0A%0A200%20result=1"):
        call = await scene.dial(number, number="4007770001", accounted=False)
        found = await variables(scene, "CALLERID(num)", "HOTLINE_CALLER_PRESENTATION")
        assert "\n" in found["CALLERID(num)"]
        assert (found["HOTLINE_AGI"], found["HOTLINE_CALLER_PRESENTATION"]) == ("-", "-")
        await call.hang_up()
        await until_none(scene.leftovers, within=SOON_S)
    assert engine_log(scene.hotline).count('"agi.not_agi"') == 2


async def test_caller_lookup_tells_the_dialplan_who_the_caller_is(scene: Scene) -> None:
    await scene.dial(VIP, number="4007770002", accounted=False)
    assert await variables(scene, "HOTLINE_OUTCOME", "HOTLINE_CUSTOMER_NAME", "HOTLINE_CUSTOMER_TIER") == {
        "HOTLINE_OUTCOME": "ok",
        "HOTLINE_CUSTOMER_NAME": VIP_NAME,
        "HOTLINE_CUSTOMER_TIER": "VIP",
        "HOTLINE_AGI": "ok",
        "DONE": "SUCCESS",
    }


async def test_an_endpoint_that_is_down_is_an_outcome_and_not_a_failed_script(scene: Scene) -> None:
    async with scene.hotline.identity.down():
        await scene.dial("13600136031", number="4007770002", accounted=False)
        found = await variables(scene, "HOTLINE_OUTCOME")
    assert found == {"HOTLINE_OUTCOME": "unavailable", "HOTLINE_AGI": "ok", "DONE": "SUCCESS"}


async def test_arguments_and_variables_reach_a_script_as_they_are(scene: Scene) -> None:
    await scene.dial("13600136032", number="4007770003", accounted=False)
    found = await variables(scene, "ODD", "LETTERS", "ARGUMENTS", "NONE", "DIALLED")
    assert found["LETTERS"] == f"{len(found['ODD'])} 2"
    assert found["ARGUMENTS"] == "first / second quoted / "
    assert (found["NONE"], found["DIALLED"], found["HOTLINE_AGI"]) == ("unset", "4007770003", "ok")


async def test_a_script_plays_a_prompt_and_takes_the_key_that_cuts_it_short(scene: Scene) -> None:
    call = await scene.dial("13600136033", number="4007770004", accounted=False)
    await call.answered()
    assert await call.hears(GREETING_HZ, within=10)
    await call.press("5")
    found = await variables(scene, "KEY", "NEXT")
    assert (found["KEY"], found["NEXT"], found["HOTLINE_AGI"]) == ("5", "none", "ok")


@pytest.mark.parametrize("transport", ["press", "press_by_info"])
async def test_keys_that_come_while_a_script_is_busy_with_something_else_are_for_the_next_one(
    scene: Scene, transport: str
) -> None:
    call = await scene.dial("13600136037", number="4007770009", accounted=False)
    await call.answered()
    await getattr(call, transport)("4826")
    found = await variables(scene, "HOTLINE_ORDER", "HOTLINE_OUTCOME")
    assert (found["HOTLINE_ORDER"], found["HOTLINE_OUTCOME"]) == ("4826", "ok")


async def test_a_menu_of_the_site_s_flows_gives_the_step_where_the_flow_would_go_on(scene: Scene) -> None:
    call = await scene.dial("13600136038", number="4007770010", accounted=False)
    await call.answered()
    assert await call.hears(MENU_HZ, within=10)
    await call.press("2")
    found = await variables(scene, "HOTLINE_OUTCOME", "HOTLINE_KEY", "HOTLINE_STEP")
    assert (found["HOTLINE_OUTCOME"], found["HOTLINE_KEY"], found["HOTLINE_STEP"]) == ("key", "2", "service")


async def test_a_misspelt_argument_is_named_in_the_log(scene: Scene) -> None:
    await scene.dial("13600136039", number="4007770011", accounted=False)
    assert (await variables(scene))["HOTLINE_AGI"] == "error"
    assert "`kyes` is no setting of `menu` (did you mean `keys`?)" in engine_log(scene.hotline)


async def test_a_missing_script_is_told_to_the_dialplan(scene: Scene) -> None:
    await scene.dial("13600136034", number="4007770005", accounted=False)
    assert (await variables(scene))["HOTLINE_AGI"] == "notfound"
    assert '"script":"no_such_script"' in engine_log(scene.hotline)


async def test_a_broken_script_fails_its_own_call_only_with_its_traceback_in_the_log(scene: Scene) -> None:
    call = await scene.dial("13600136035", number="4007770006", accounted=False)
    assert (await variables(scene))["HOTLINE_AGI"] == "error"
    assert "agi_scripts/broken.py" in engine_log(scene.hotline)
    assert "ZeroDivisionError" in engine_log(scene.hotline)
    await call.hang_up()
    await until_none(scene.leftovers, within=SOON_S)
    await scene.dial("13600136035", number="4007770001", accounted=False)
    assert (await variables(scene))["HOTLINE_AGI"] == "ok"


async def test_a_script_that_cannot_be_loaded_is_reported_at_start_and_stops_nothing(scene: Scene) -> None:
    reported = [line for line in engine_log(scene.hotline).splitlines() if "unloadable.py" in line]
    assert any('"line":4' in line and "SyntaxError" in line for line in reported), reported
    await scene.dial("13600136036", number="4007770007", accounted=False)
    assert (await variables(scene))["HOTLINE_AGI"] == "error"


@pytest.mark.parametrize("caller", ["13600136041", "13600136042"], ids=["in a command", "in the script's own wait"])
async def test_a_caller_who_hangs_up_in_a_script_leaves_nothing_behind(scene: Scene, caller: str) -> None:
    call = await scene.dial(caller, number="4007770008", accounted=False)
    await call.answered()
    assert sessions(scene.hotline)
    await call.hang_up()

    async def left() -> list[str]:
        return [*sessions(scene.hotline), *await scene.leftovers()]

    await until_none(left, within=SOON_S)


async def test_a_script_whose_engine_dies_leaves_its_caller_to_the_dialplan_and_to_nobody_else(scene: Scene) -> None:
    call = await scene.dial("13600136043", number="4007770008", accounted=False)
    await call.answered()
    assert sessions(scene.hotline)
    await scene.hotline.replaced("engine", scene.hotline.kill("engine"))
    assert (await variables(scene))["HOTLINE_AGI"] == "-"
    assert await scene.hotline.active_calls() == []
    assert call.end is None


async def test_200_callers_are_in_a_script_at_once_and_leave_nothing_behind(scene: Scene) -> None:
    """Callers of Asterisk's own making, as nobody listens to them: a session and a subscription for each."""
    hotline = scene.hotline
    ari = f"http://127.0.0.1:{hotline.ports.ari}/ari"
    login = {"Authorization": aiohttp.encode_basic_auth("hotline", hotline.state.secret("ari"))}

    async def all_in() -> bool:
        return len(sessions(hotline)) == len(await heard(hotline)) == CROWD

    async def left() -> list[str]:
        return [*sessions(hotline), *await heard(hotline), *await scene.leftovers()]

    async with aiohttp.ClientSession(headers=login) as session, session.ws_connect(f"{ari}/events?app=crowd"):
        callers = []
        for _ in range(CROWD):
            query = {"endpoint": "Local/4007770008@from-trunk", "app": "crowd"}
            async with session.post(f"{ari}/channels", params=query) as answer:
                callers.append((await answer.json())["id"])
        await until(all_in, within=3 * SOON_S, what=f"{CROWD} callers in the script")
        for caller in callers:
            async with session.delete(f"{ari}/channels/{caller}"):
                pass
        await until_none(left, within=3 * SOON_S)
