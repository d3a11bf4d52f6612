"""Outside phones, of which nobody can see whether they are in use."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from engine.acd import Acd, Device
from engine.call.phones import Phones


class Told:
    """An ACD that notes what it is told of phones."""

    def __init__(self) -> None:
        self.devices: list[tuple[str, Device]] = []

    async def agent(self, agent: str, *, device: Device, **_: Any) -> None:
        self.devices.append((agent, device))


async def settled() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_an_outside_phone_counts_as_idle_whatever_the_sip_phone_before_it_says() -> None:
    told = Told()
    phones = Phones(cast(Acd, told))
    phones.device("8001", "down")
    phones.outside(["8001"])
    phones.device("8001", "down")  # Asterisk's last word of an endpoint that is being removed
    await settled()
    assert told.devices[-1] == ("8001", Device.IDLE)
    phones.outside([])
    phones.device("8001", "busy")
    await settled()
    assert told.devices[-1] == ("8001", Device.BUSY)


async def test_an_outside_phone_that_could_not_be_rung_is_tried_again_after_a_while(monkeypatch: Any) -> None:
    monkeypatch.setattr("engine.call.phones.SUSPECT_S", 0.01)
    told = Told()
    phones = Phones(cast(Acd, told))
    phones.outside(["8001"])
    await settled()
    phones.unreachable("8001")
    assert not phones.is_idle("8001")
    async with asyncio.timeout(2):
        while len(told.devices) < 2:  # noqa: ASYNC110 - the ACD has no event to wait for
            await asyncio.sleep(0.005)
    assert told.devices == [("8001", Device.IDLE), ("8001", Device.IDLE)]
