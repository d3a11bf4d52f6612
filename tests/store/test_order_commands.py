"""`hotline hours`, `lists`, `announcements` as an operator types them; the API, Redis and SQLite behind are real."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import orjson
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from engine.api.client import Refused, ask
from engine.api.server import Api
from engine.app import Engine
from engine.cli import common
from engine.cli.main import app
from engine.config import site as sites
from engine.host.state import State
from engine.hours import Closed, Open
from engine.orders.keeper import OrderKeeper
from engine.redis_line import RedisLine
from engine.store.database import Database

FILES = {
    "hotline.yaml": """
company: Test
area_code: "0755"
numbers: {"4008001234": {flow: main}}
tiers: {VIP: {head_start: 5m}}
""",
    "agents.yaml": 'agents: {"8001": {name: 李雷, skills: {sales: 8}}}',
    "queues.yaml": "queues: {sales: {require: sales}}",
    "calendars.yaml": """
calendars:
  office: {open: {daily: 24h}}
  never: {zone: America/New_York, open: {daily: closed}}
""",
    "lists.yaml": """
lists:
  block: {numbers: {"+86170*": {reason: 骚扰}, "+86171*": {until: 2020-01-01}}}
  vip: {tier: VIP}
""",
    "flows/main.yaml": """
steps:
  banner: {announcement: welcome}
  bye: {play: [goodbye]}
""",
}


@dataclass
class Desk:
    """Where an operator sits: an engine with one small site."""

    state: State
    keeper: OrderKeeper
    site: sites.Site

    async def run(self, *command: str) -> Any:
        """What the command said and its exit code."""
        words = [*command, "--state", str(self.state.folder)]
        return await asyncio.to_thread(CliRunner().invoke, app, words)

    async def said(self, *command: str) -> str:
        result = await self.run(*command)
        assert result.exit_code == 0, result.output
        return str(result.output)

    async def refused(self, *command: str) -> str:
        result = await self.run(*command)
        assert result.exit_code != 0, result.output
        return str(result.output)

    async def read(self, *command: str) -> Any:
        return orjson.loads(await self.said(*command, "--json"))

    def state_of(self, calendar: str) -> Open | Closed:
        return self.keeper.standing.state(self.site.calendars[calendar], datetime.now().astimezone())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> sites.Site:
    folder = tmp_path_factory.mktemp("site")
    for name, text in FILES.items():
        file = folder / "dialplan" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return sites.load(folder)


@pytest.fixture
async def desk(
    site: sites.Site, sqlite_url: str, line: RedisLine, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    monkeypatch.setattr(common.console, "width", common.WIDE)
    folder = Path(tempfile.mkdtemp(prefix="hl-"))  # Unix sockets have short names
    state = State(folder / "st")
    state.make()
    database = Database(sqlite_url)
    await database.open()
    keeper = OrderKeeper(database, line)
    await keeper.open()
    engine = SimpleNamespace(board=SimpleNamespace(site=site), orders=keeper)
    api = Api(cast(Engine, engine))
    await api.open(state.api_socket)
    with capture_logs():  # the engine's log would stand in what the command, in this same process, says
        yield Desk(state, keeper, site)
    await api.close()
    await keeper.close()
    await database.close()
    shutil.rmtree(folder)


def row_of(name: str, table: str) -> str:
    return next(line.strip() for line in table.splitlines() if line.startswith(name))


async def test_hours_says_what_each_calendar_is_now_and_why(desk: Desk) -> None:
    table = await desk.said("hours")
    assert row_of("office", table).split() == ["office", "open"]
    assert row_of("never", table).split(maxsplit=2) == ["never", "closed", "outside of its hours"]


async def test_closing_counts_for_the_next_caller_and_is_shown_with_who_and_until_when(desk: Desk) -> None:
    before = datetime.now(ZoneInfo("Asia/Shanghai"))
    said = await desk.said("hours", "close", "office", "--for", "2h", "--say", "goodbye")
    assert said.startswith("office is closed, until ")
    state = desk.state_of("office")
    assert isinstance(state, Closed)
    assert state.opens_at is not None
    assert timedelta(0) <= state.opens_at - before - timedelta(hours=2) < timedelta(minutes=1)
    row = row_of("office", await desk.said("hours"))
    assert "closed" in row
    assert f"until {state.opens_at:%Y-%m-%d %H:%M}, says goodbye" in row
    (office, _) = (await desk.read("hours"))["calendars"]
    assert office["order"]["ordered_by"]
    assert office["changes_ms"] == office["order"]["until_ms"]


async def test_opening_and_following_the_calendar_again(desk: Desk) -> None:
    assert await desk.said("hours", "open", "never") == "never is open, until undone.\n"
    assert desk.state_of("never") == Open(forced=True)
    assert await desk.said("hours", "follow", "never") == "never is closed, as its calendar says.\n"
    assert isinstance(desk.state_of("never"), Closed)
    assert await desk.said("hours", "follow", "never") == "never is closed, as its calendar says.\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("hours", "close", "offic"), "no calendar offic in dialplan/calendars.yaml (did you mean `office`?)"),
        (("hours", "close", "office", "--say", "godbye"), "godbye"),
        (("hours", "close", "office", "--say", "/etc/passwd"), "is a file; name a prompt"),
        (("hours", "close", "office", "--for", "soon"), "is not a duration"),
        (("hours", "close", "office", "--for", "0s"), "counts for some time"),
        (("hours", "close", "office", "--for", "9999d"), "for_s"),
        (("lists", "show", "blok"), "no list blok in dialplan/lists.yaml (did you mean `block`?)"),
        (("lists", "add", "blok", "13900000000"), "no list blok"),
        (("lists", "add", "block", "10086"), "is no caller's number"),
        (("lists", "add", "block", "170*"), "write it with its country, such as +86170*"),
        (("lists", "add", "block", "13900000000", "--reason", "x" * 201), "200 characters"),
        (("lists", "remove", "block", "13900000000"), "is not on the list block"),
        (("lists", "remove", "block", "+86170*"), "stands in dialplan/lists.yaml; remove it there"),
        (("announcements", "on", "welcom"), "no announcement welcom in dialplan/flows (did you mean `welcome`?)"),
        (("announcements", "on", "welcome", "--say", "nonsense"), "nonsense"),
    ],
)
async def test_what_cannot_be_is_refused_with_what_to_do_and_changes_nothing(
    desk: Desk, command: tuple[str, ...], said: str
) -> None:
    before = desk.keeper.standing.all
    answer = " ".join((await desk.refused(*command)).replace("│", " ").split())
    assert said in answer
    assert desk.keeper.standing.all == before


async def test_a_number_is_put_on_a_list_and_taken_off_again_however_it_is_written(desk: Desk) -> None:
    assert await desk.said("lists", "add", "block", "139 0000 0000", "--reason", "骚扰", "--for", "30d")
    assert (
        await desk.said("lists", "add", "block", "88881234") == "+8675588881234 is on the list block, until undone.\n"
    )
    now = datetime.now().astimezone()
    entry = desk.keeper.standing.entry("block", "+8613900000000", now)
    assert entry is not None
    assert (entry.reason, bool(entry.ordered_by)) == ("骚扰", True)
    assert not desk.keeper.standing.entry("block", "+8613900000000", now + timedelta(days=31))
    assert await desk.said("lists", "remove", "block", "+86-139-0000-0000")
    assert not desk.keeper.standing.entry("block", "+8613900000000", now)


async def test_lists_show_what_is_written_and_what_was_added_but_not_what_is_over(desk: Desk) -> None:
    await desk.said("lists", "add", "vip", "13800138000", "--reason", "大客户")
    table = await desk.said("lists")
    assert row_of("block", table).split() == ["block", "1", "0"]
    assert row_of("vip", table).split() == ["vip", "VIP", "0", "1"]
    shown = await desk.said("lists", "show", "block")
    assert row_of("+86170*", shown).split() == ["+86170*", "骚扰", "lists.yaml"]
    assert "+86171*" not in shown
    assert "大客户" in row_of("+8613800138000", await desk.said("lists", "show", "vip"))


async def test_what_was_added_stands_over_what_is_written_of_the_same_number(desk: Desk) -> None:
    await desk.said("lists", "add", "block", "+86170*", "--reason", "盗打")
    (entry,) = (await desk.read("lists", "show", "block"))["entries"]
    assert (entry["reason"], entry["written"]) == ("盗打", False)


async def test_an_announcement_is_switched_on_and_off(desk: Desk) -> None:
    now = datetime.now().astimezone()
    assert row_of("welcome", await desk.said("announcements")).split()[1] == "off"
    await desk.said("announcements", "on", "welcome", "--for", "4h", "--say", "goodbye")
    order = desk.keeper.standing.announcement("welcome", now)
    assert order is not None
    assert order.say == "goodbye"
    (row,) = (await desk.read("announcements"))["announcements"]
    assert row["words"]["en"] == desk.site.spoken("goodbye", "en")
    await desk.said("announcements", "off", "welcome")
    assert desk.keeper.standing.announcement("welcome", now) is None
    assert await desk.said("announcements", "off", "welcome") == "welcome is off.\n"


async def test_an_order_that_cannot_be_kept_says_so_and_the_old_ones_are_shown_as_remembered(
    desk: Desk, sqlite_url: str
) -> None:
    await desk.said("hours", "close", "office")
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as elsewhere:
        elsewhere.execute("ALTER TABLE orders_revision RENAME TO gone")
    assert "nothing has changed" in await desk.refused("hours", "follow", "office")
    await desk.keeper._look()
    shown = await desk.said("hours")
    assert "this is what the engine remembers" in shown
    assert row_of("office", shown).split()[1] == "closed"
    assert isinstance(desk.state_of("office"), Closed)


@pytest.mark.parametrize(
    "body", [{}, {"state": "ajar"}, {"state": "open", "for_s": -1}, {"state": "open", "often": True}, [], "open"]
)
async def test_a_body_that_is_no_order_is_refused(desk: Desk, body: Any) -> None:
    with pytest.raises(Refused):
        await ask(desk.state.api_socket, "/v1/hours/office", body=body)
    assert desk.keeper.standing.all.hours == []


async def test_nobody_can_name_a_path_with_a_calendar(desk: Desk) -> None:
    said = await desk.refused("hours", "close", "../lists/block")
    assert "no calendar ../lists/block" in said
