"""One flow of many steps with a real Asterisk: walked by the engine, and step by step by hand-written dialplan."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import yaml

from engine.asterisk.dialplan import variable
from engine.flow.expression import as_text
from phones import Call
from tests.e2e.hotline import Hotline, Json
from tests.e2e.scene import GREETING_HZ, MENU_HZ, Scene
from tests.e2e.site_of_tones import VIP, VIP_NAME
from tests.e2e.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

BY_FLOW, BY_DIALPLAN = "4008001299", "4007772001"

FLOW = """
steps:
  tier: {list: vip}
  who: {lookup: caller}
  where: {area: city}
  open: {hours: office}
  greet: {play: [welcome], then: choose}
  choose: {menu: [menu-main], keys: {"1": order, "2": order}, then: order}
  order: {collect: order, ask: [enter-extension], min: 4, max: 8}
  again: {say: [{digits: "{order}"}]}
  how: {survey: [menu-main], thanks: [goodbye]}
  call_back: {callback: sales, offer: [welcome]}
  stay: {queue: sales}
"""

DIALPLAN = """
[from-trunk]
exten => 4007772001,1,AGI(${AGI}/list,many/tier)
 same => n,AGI(${AGI}/caller_lookup,many/who)
 same => n,AGI(${AGI}/area,many/where)
 same => n,AGI(${AGI}/hours,many/open)
 same => n,AGI(${AGI}/play,many/greet)
 same => n,AGI(${AGI}/menu,many/choose)
 same => n,AGI(${AGI}/collect,many/order)
 same => n,AGI(${AGI}/say,many/again)
 same => n,AGI(${AGI}/survey,many/how)
 same => n,AGI(${AGI}/callback,many/call_back)
 same => n,Set(DONE=yes)
 same => n,Wait(60)
"""

# Not among the scripts that come with the hotline: the dialplan has Playback() for it.
PLAY = """
from engine.asterisk.agi_step import perform


async def run(session):
    await perform(session, "play")
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hotline() -> AsyncIterator[Hotline]:
    hotline = Hotline()
    dialplan = hotline.site / "dialplan"
    (dialplan / "many.conf").write_text(DIALPLAN)
    (dialplan / "flows/many.yaml").write_text(FLOW)
    (hotline.site / "agi_scripts/play.py").write_text(PLAY)
    write(hotline, "calendars", "calendars", office={"zone": "Asia/Shanghai", "open": {"daily": "24h"}})
    write(hotline, "lists", "lists", vip={"tier": "VIP", "numbers": {VIP: {}}})
    write(hotline, "hotline", "numbers", **{BY_FLOW: {"flow": "many"}})
    try:
        await hotline.open()
        yield hotline
    finally:
        await hotline.close()


def write(hotline: Hotline, file: str, key: str, **more: Any) -> None:
    """Adds to what the test's site has."""
    path = hotline.site / f"dialplan/{file}.yaml"
    data = yaml.safe_load(path.read_text()) if path.exists() else {key: {}}
    data[key].update(more)
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False))


async def play_the_caller(call: Call, transport: str) -> None:
    """The menu and the order are typed ahead, the rest is answered when it is asked."""
    await call.answered()
    await getattr(call, transport)("24826#")
    assert await call.hears(MENU_HZ, within=10)
    await getattr(call, transport)("5")
    assert await call.hears(GREETING_HZ, within=10)
    await getattr(call, transport)("1")


async def of_the_flow(scene: Scene, transport: str) -> Json:
    call = await scene.dial(VIP, number=BY_FLOW)
    await play_the_caller(call, transport)
    variables: Json = (await scene.until_active(VIP, "phase", "waiting", within=10))["variables"]
    await call.hang_up()
    return variables


async def of_the_dialplan(scene: Scene, transport: str, names: list[str]) -> dict[str, str]:
    call = await scene.dial(VIP, number=BY_DIALPLAN, accounted=False)
    await play_the_caller(call, transport)

    async def done() -> str:
        return (await read(scene.hotline, ["DONE"])).get("DONE", "")

    await until(done, within=10, what="the dialplan has come to its end")
    found = await read(scene.hotline, names)
    await call.hang_up()
    return found


async def read(hotline: Hotline, names: list[str]) -> dict[str, str]:
    """Variables of the one channel that is in the dialplan, those that are set."""
    found = {}
    (channel,) = [c for c in await hotline.ari("channels") if c["dialplan"]["exten"] == BY_DIALPLAN]
    for name in names:
        try:
            found[name] = (await hotline.ari(f"channels/{channel['id']}/variable?variable={name}"))["value"]
        except aiohttp.ClientResponseError:
            continue
    return found


@pytest.mark.parametrize("transport", ["press", "press_by_info"])
async def test_the_steps_of_a_flow_give_the_dialplan_what_they_give_the_flow(scene: Scene, transport: str) -> None:
    by_flow = await of_the_flow(scene, transport)
    assert (by_flow["order"], by_flow["customer.name"], by_flow["customer.tier"]) == ("4826", VIP_NAME, "VIP")
    # What every call begins with is no step's to give.
    given = {variable(name): as_text(value) for name, value in by_flow.items() if name not in ("dialled", "trunk")}
    given = {name: value for name, value in given.items() if value}
    by_dialplan = await of_the_dialplan(scene, transport, list(given))
    assert by_dialplan == given
