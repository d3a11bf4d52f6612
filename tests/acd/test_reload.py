"""What a reload means to the ACD: a whole engine on a real Redis, but without an Asterisk."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.acd import AgentState, Intent
from engine.acd.conditions import CLIENT
from engine.app import Engine, Settings
from engine.config import site as sites
from engine.config.site import FOLDERS
from engine.host.state import State
from engine.items import new_item
from engine.redis_line import LineDown
from tests.acd.redis_server import RedisServer

PROJECT = Path(__file__).parents[2]
MOBILE, AT_DESK = "8004", "8005"
SOON_S = 5.0
Change = Callable[[dict[str, Any]], None]


class Hotline(Engine):
    """An engine that somebody reloads, and a site that they edit. There are no phones but outside ones."""

    async def opens(self) -> None:
        await self.database.open()
        await self.line.open()
        await self.acd.open()
        await self.staff(self.board.site)
        self.seats()

    async def seat(self) -> None:
        pass

    async def closes(self) -> None:
        await self.items.close()
        await self.callbacks.close()
        await self.acd.close()
        await self.line.close()
        await self.database.close()

    async def reloads(self, name: str, change: Change) -> None:
        """An admin has changed a file of the dialplan."""
        edit(self.board.site.folder, name, change)
        await self.reloading.reload()

    async def until(self, agent: str, so: Callable[[AgentState], bool]) -> None:
        async with asyncio.timeout(SOON_S):
            while (state := await self.acd.look_at(agent)) is None or not so(state):  # noqa: ASYNC110 - Redis changes
                await asyncio.sleep(0.01)

    async def until_open(self, agent: str) -> None:
        """The ACD knows that a program of theirs is open."""
        async with asyncio.timeout(SOON_S):
            while CLIENT not in await self.acd.skills(agent):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)


def edit(site: Path, name: str, change: Change) -> None:
    file = site / "dialplan" / name
    content = yaml.safe_load(file.read_text())
    change(content)
    file.write_text(yaml.safe_dump(content, allow_unicode=True))


def dials_out(file: dict[str, Any]) -> None:
    file["trunks"] = {"demo-carrier": {"outbound": {"allow": ["+86*"], "caller_id": "4008001234"}}}


@pytest.fixture
async def hotline(redis_server: RedisServer, line: object, tmp_path: Path) -> AsyncIterator[Hotline]:
    """`line` has emptied Redis."""
    folder = tmp_path / "site"
    for name in FOLDERS:
        shutil.copytree(PROJECT / name, folder / name)
    edit(folder, "hotline.yaml", dials_out)
    state = State(tmp_path / "state")
    state.make()
    settings = Settings(
        state=state,
        redis_url=redis_server.url,
        database_url=f"sqlite:///{tmp_path / 'hotline.db'}",
        ari_url="http://127.0.0.1:1",
        ari_user="",
        ari_password="",
        ami_port=None,
        ami_secret="",
        drain_s=0.0,
    )
    hotline = Hotline(sites.load(folder), settings)
    await hotline.opens()
    yield hotline
    await hotline.closes()


def hires(file: dict[str, Any]) -> None:
    file["agents"][MOBILE] = {"name": "外勤", "skills": {"sales": 3}, "number": "13912345678"}
    file["agents"][AT_DESK] = {"name": "新人", "skills": {"sales": 3}}


def fires(file: dict[str, Any]) -> None:
    del file["agents"][MOBILE], file["agents"][AT_DESK]


async def test_agents_whom_a_reload_removed_and_another_brings_back_can_be_reached_as_before(hotline: Hotline) -> None:
    await hotline.reloads("agents.yaml", hires)
    hotline.phones.device(AT_DESK, "idle")
    with hotline.items.presence.watching(AT_DESK):
        for agent in (MOBILE, AT_DESK):
            await hotline.until(agent, lambda state: "voice" in state.ready)
        await hotline.until_open(AT_DESK)

        await hotline.reloads("agents.yaml", fires)
        assert await hotline.acd.look_at(MOBILE) is None
        await hotline.reloads("agents.yaml", hires)
        for agent in (MOBILE, AT_DESK):
            await hotline.until(agent, lambda state: "voice" in state.ready)
        await hotline.until_open(AT_DESK)


async def test_a_redis_that_goes_away_after_the_swap_is_told_of_them_when_it_is_back(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hotline.reloads("agents.yaml", hires)
    await hotline.until(MOBILE, lambda state: "voice" in state.ready)
    await hotline.reloads("agents.yaml", fires)

    async def away() -> list[AgentState]:
        monkeypatch.undo()
        raise LineDown("gone")

    monkeypatch.setattr(hotline.acd, "agents", away)
    await hotline.reloads("agents.yaml", hires)
    comparing = asyncio.ensure_future(hotline.rebuilding.run())
    await hotline.until(MOBILE, lambda state: "voice" in state.ready)
    comparing.cancel()


async def test_an_item_that_waits_goes_to_the_agents_of_the_new_version(hotline: Hotline) -> None:
    def can(skill: str) -> Change:
        def change(file: dict[str, Any]) -> None:
            file["agents"][AT_DESK] = {"name": "新人", "skills": {skill: 3}}

        return change

    def wants(skill: str) -> Change:
        def change(file: dict[str, Any]) -> None:
            file["queues"]["mail"] = {"kind": "email", "require": skill, "ring": "20s"}

        return change

    site = hotline.board.site.folder
    edit(site, "agents.yaml", can("writing"))
    await hotline.reloads("queues.yaml", wants("writing"))
    with hotline.items.presence.watching(AT_DESK):
        await hotline.until_open(AT_DESK)
        await hotline.acd.agent(AT_DESK, intent=Intent.NOT_READY)
        item = new_item("mail", "email")
        assert (await hotline.items.add(item)).position == 1

        edit(site, "agents.yaml", can("letters"))
        await hotline.reloads("queues.yaml", wants("letters"))
        await hotline.acd.agent(AT_DESK, intent=Intent.READY)
        await hotline.until(AT_DESK, lambda state: state.item == item.id)
