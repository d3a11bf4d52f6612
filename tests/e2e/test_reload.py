"""Another version of the site while calls go on: on a real Asterisk, with real phones."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from tests.e2e.hotline import Hotline
from tests.e2e.scene import CALLER_HZ, SOON_S, Scene
from tests.e2e.site_of_tones import PROMPTS_HZ, VIP, VIP_NAME
from tests.e2e.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.hotline("fragile")]

STAYS, COMES = "13600136000", "13500135000"
NEW_AGENT = "8077"
RELOADS_S = 40.0

Change = Callable[[dict[str, Any]], None]


class Editor:
    """An admin at the site's files, which are afterwards as they were."""

    def __init__(self, hotline: Hotline) -> None:
        self._hotline = hotline
        self._before: dict[Path, str | None] = {}

    def write(self, name: str, text: str) -> None:
        file = self._hotline.site / name
        self._before.setdefault(file, file.read_text() if file.exists() else None)
        file.write_text(text)

    def edit(self, name: str, change: Change) -> None:
        content = yaml.safe_load((self._hotline.site / name).read_text())
        change(content)
        self.write(name, yaml.safe_dump(content, allow_unicode=True, sort_keys=False))

    async def reload(self) -> tuple[int, str]:
        """`hotline reload`: its exit code and its words."""
        argv = [sys.executable, "-m", "engine.cli", "reload", "--state", str(self._hotline.state.folder)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*argv, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
        words, _ = await asyncio.wait_for(process.communicate(), RELOADS_S)
        return process.returncode or 0, words.decode()

    async def version(self) -> str:
        return str((await self._hotline.ask("/v1/status"))["config_version"])

    async def put_back(self) -> None:
        for file, text in self._before.items():
            if text is None:
                file.unlink()
            else:
                file.write_text(text)
        code, words = await self.reload()
        assert code == 0, words


@pytest_asyncio.fixture(loop_scope="session")
async def editor(hotline: Hotline) -> AsyncIterator[Editor]:
    editor = Editor(hotline)
    yield editor
    await editor.put_back()


def one_says_goodbye(flow: dict[str, Any]) -> None:
    """Key 1 leads to a step that there was none of."""
    flow["steps"]["menu"]["keys"]["1"] = "farewell"
    flow["steps"]["farewell"] = {"play": ["goodbye"], "then": "end"}


async def test_a_call_in_progress_ends_on_its_version_while_the_next_caller_gets_the_new_one(
    scene: Scene, editor: Editor
) -> None:
    editor.edit("dialplan/flows/main.yaml", lambda flow: flow["steps"]["menu"].update(wait=30))
    assert (await editor.reload())[0] == 0
    agent = await scene.agent()
    call = await scene.in_menu(STAYS)
    before = await editor.version()

    editor.edit("dialplan/flows/main.yaml", one_says_goodbye)
    code, words = await editor.reload()
    assert code == 0, words
    after = await editor.version()
    assert after != before
    assert (await scene.hotline.ask("/v1/status"))["calls_on_former_versions"] == 1

    next_call = await scene.in_menu(COMES)
    await next_call.press("1")
    assert await next_call.hears(PROMPTS_HZ["goodbye"], within=10)
    row = await scene.row(COMES)
    assert row["flow_path"][-2:] == ["main/farewell", "main/end"]

    await call.press("1")
    ring = await agent.ringing()
    await ring.answer()
    await call.play_tone(CALLER_HZ)
    assert await ring.hears(CALLER_HZ, within=10)
    await call.hang_up()
    row = await scene.row(STAYS)
    assert row["flow_path"][-1] == "main/sales"
    assert row["end_reason"] == "completed_by_caller"


async def test_a_faulty_file_changes_nothing_and_is_told_of_with_its_line(scene: Scene, editor: Editor) -> None:
    before = await editor.version()

    def misspell(flow: dict[str, Any]) -> None:
        one_says_goodbye(flow)
        flow["steps"]["farewell"]["then"] = "nowhere"

    editor.edit("dialplan/flows/main.yaml", misspell)
    code, words = await editor.reload()
    assert code == 2
    assert "dialplan/flows/main.yaml:" in words
    assert "goes to `nowhere`, which is no step here" in words
    assert "Nothing has changed." in words
    assert await editor.version() == before

    call = await scene.queued(STAYS)
    await call.hang_up()
    assert (await scene.row(STAYS))["flow_path"][-1] == "main/sales"


async def test_an_agent_who_is_written_down_can_register_and_be_called_and_one_who_is_not_any_more_is_gone(
    scene: Scene, editor: Editor
) -> None:
    def hire(file: dict[str, Any]) -> None:
        file["agents"][NEW_AGENT] = {"name": "新人", "skills": {"novelty": 5}}

    def open_queue(file: dict[str, Any]) -> None:
        file["queues"]["novelty"] = {**file["queues"]["sales"], "require": "novelty"}

    def lead_there(flow: dict[str, Any]) -> None:
        flow["steps"]["sales"]["queue"] = "novelty"

    editor.edit("dialplan/agents.yaml", hire)
    editor.edit("dialplan/queues.yaml", open_queue)
    editor.edit("dialplan/flows/main.yaml", lead_there)
    code, words = await editor.reload()
    assert code == 0, words

    phone = await scene.phone(NEW_AGENT)
    call = await scene.queued(COMES)
    ring = await phone.ringing()
    await ring.answer()
    await scene.until_connected(COMES)
    await call.hang_up()
    await scene.until_agent(NEW_AGENT, work="idle")
    await phone.close()
    await scene.until_device(NEW_AGENT, "down")
    del scene._seats[NEW_AGENT]

    await editor.put_back()
    assert NEW_AGENT not in [agent["id"] for agent in await scene.hotline.ask("/v1/agents")]


async def test_dialplan_is_read_by_asterisk_again_and_what_it_would_reject_changes_nothing(
    scene: Scene, editor: Editor
) -> None:
    editor.write("dialplan/more.conf", "[from-trunk]\nexten => 4009990001,1,Answre()\n same => n,Wait(30)\n")
    code, words = await editor.reload()
    assert code == 2
    assert "dialplan/more.conf:2:1: there is no application `Answre` in this Asterisk" in words

    editor.write("dialplan/more.conf", "[from-trunk]\nexten => 4009990001,1,Answer()\n same => n,Wait(30)\n")
    code, words = await editor.reload()
    assert code == 0, words
    assert "Asterisk has reloaded pbx_config.so" in words
    call = await scene.dial(COMES, number="4009990001", accounted=False)
    await call.answered()
    await call.hang_up()


async def test_a_new_trunk_is_there_at_once_and_who_talks_goes_on_talking(scene: Scene, editor: Editor) -> None:
    agent = await scene.agent()
    call, ring = await scene.talking(STAYS, agent)
    editor.write(
        "sip_trunks/other.conf",
        "[other](trunk)\naors = other\n\n[other]\ntype = aor\ncontact = sip:127.0.0.4:5060\n\n"
        "[other]\ntype = identify\nendpoint = other\nmatch = 127.0.0.4\n",
    )
    code, words = await editor.reload()
    assert code == 0, words
    assert (await scene.hotline.ari("endpoints/PJSIP/other"))["resource"] == "other"

    await call.play_tone(CALLER_HZ)
    assert await ring.hears(CALLER_HZ, within=10)
    await call.hang_up()
    await scene.until_agent(scene.user(agent), device="idle")
    assert (await scene.row(STAYS))["end_reason"] == "completed_by_caller"


async def test_the_next_caller_is_asked_about_by_the_new_rules_of_the_endpoint(scene: Scene, editor: Editor) -> None:
    editor.edit("dialplan/hotline.yaml", lambda hotline: hotline["identity"].update(cache="1s"))
    code, words = await editor.reload()
    assert code == 0, words
    call = await scene.queued(VIP)
    await call.hang_up()
    assert (await scene.row(VIP))["customer_name"] == VIP_NAME


async def test_a_signal_reloads_too(hotline: Hotline, editor: Editor) -> None:
    before = await editor.version()
    editor.edit("dialplan/flows/main.yaml", one_says_goodbye)
    hotline.kill("engine", signal.SIGHUP)

    async def another() -> bool:
        return await editor.version() != before

    await until(another, within=SOON_S, what="the new version is in force")

    # And by way of the supervisor, which no terminal has started here.
    changed = await editor.version()
    editor.edit("dialplan/flows/main.yaml", lambda flow: flow["steps"]["menu"].update(wait=2))
    hotline.tell(signal.SIGHUP)

    async def yet_another() -> bool:
        return await editor.version() != changed

    await until(yet_another, within=SOON_S, what="the supervisor has passed it on")
