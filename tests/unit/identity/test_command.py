"""`hotline identity test`, against real endpoints on loopback."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from aiohttp import web
from typer.testing import CliRunner

from engine.cli.main import app
from engine.config.site import FOLDERS
from examples.identity_server.server import create_app

PROJECT = Path(__file__).resolve().parents[3]
CUSTOMERS = PROJECT / "examples/identity_server/customers.yaml"
SECRET = "shared"
ID_CARD = "11010519491231002X"


@contextmanager
def running(application: web.Application) -> Iterator[str]:
    """A server on a thread of its own: the command has the event loop of this one."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(application, shutdown_timeout=0.1)

    async def start() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return int(runner.addresses[0][1])

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        yield f"http://127.0.0.1:{port}/identity"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture
def example() -> Iterator[str]:
    with running(create_app(CUSTOMERS, SECRET)) as url:
        yield url


@contextmanager
def saying(answer: Any, status: int = 200, **options: Any) -> Iterator[str]:
    async def handler(request: web.Request) -> web.StreamResponse:
        body = answer if isinstance(answer, bytes) else orjson.dumps(answer)
        return web.Response(body=body, status=status, **options)

    application = web.Application()
    application.router.add_post("/identity", handler)
    with running(application) as url:
        yield url


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    return file


@pytest.fixture
def test(secret: Path) -> Callable[..., tuple[int, str]]:
    """The command's exit code and what it says."""

    def run(*options: str, url: str = "", stdin: str = "") -> tuple[int, str]:
        command = ["identity", "test", "--site", str(PROJECT), "--secret-file", str(secret), *options]
        result = CliRunner().invoke(app, [*command, *(["--url", url] if url else [])], input=stdin)
        return result.exit_code, result.output

    return run


Test = Callable[..., tuple[int, str]]


def test_it_says_what_went_what_came_and_what_the_hotline_would_do(test: Test, example: str) -> None:
    code, said = test("--number", "013800138000", url=example)
    assert code == 0
    for part in (
        f"asked    {example} about +8613800138000",
        '"event":"caller"',
        "X-Hotline-Signature: sha256=",
        "came     HTTP 200",
        "张三",
        "outcome  ok in ",
        "flow main, step who: goes on at ",
        "agents see 张三",
        "counts as tier VIP",
        "in any queue counts as having waited 5 min 00 s already",
        "sets the variable account_manager",
    ):
        assert part in said


def test_a_blocked_caller_goes_where_the_flow_says(test: Test, example: str) -> None:
    code, said = test("--number", "13700137000", url=example)
    assert code == 0
    assert "flow main, step who: goes on at refuse" in said


def test_what_a_member_keys_in_is_not_shown(test: Test, example: str) -> None:
    code, said = test(
        *("--number", "anonymous", "--member", "1001", "--id-card-stdin", "--pin-stdin", "--json"),
        url=example,
        stdin=f"{ID_CARD}\n2468\n",
    )
    told = json.loads(said)
    assert (code, told["outcome"], told["faults"]) == (0, "ok", [])
    assert json.loads(told["sent"])["member"] == {"id": "****", "id_card": "*" * 18, "pin": "****"}
    for secret in ("1001", ID_CARD, "2468"):
        assert f'"{secret}"' not in said


def test_an_endpoint_that_says_them_back_does_not_show_them_either(test: Test) -> None:
    member, pin = "1001100210", "2468135790"  # so long that no port and no moment has them in it
    echo = {"status": "ok", "customer": {"id": member, "attributes": {"pin": int(pin)}}, "variables": {"card": ID_CARD}}
    with saying(echo) as url:
        _, said = test(
            *("--number", "1", "--member", member, "--id-card-stdin", "--pin-stdin"),
            url=url,
            stdin=f"{ID_CARD}\n{pin}\n",
        )
    assert "*" * len(pin) in said
    for secret in (member, ID_CARD, pin):
        assert secret not in said


def test_nobody_is_asked_about_a_hidden_caller(test: Test, example: str) -> None:
    code, said = test("--number", "anonymous", url=example)
    assert code == 0
    assert "sent" not in said.replace("none is sent", "")
    assert "none is sent" in said


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({"route": {"action": "queue", "target": "slaes"}}, "route queue slaes cannot be followed"),
        ({"route": {"action": "agent", "target": "9999"}}, "there is no such agent"),
        ({"route": {"action": "flow", "target": "mian"}}, "there is no such flow"),
        ({"route": {"action": "play", "target": "wellcome"}}, "there is no such prompt"),
        ({"route": {"action": "extension", "target": "9999"}}, "neither an agent nor a branch"),
        ({"route": {"action": "number", "target": "+85290000000"}}, "no trunk in hotline.yaml allows this number"),
        ({"route": {"require": "klingon>=5"}}, "no agent in agents.yaml can ever meet `klingon>=5`"),
        ({"route": {"announce": "nothing"}}, "route.announce: no prompt `nothing`"),
        ({"customer": {"tier": "VPI"}}, "the tier `VPI` is not under `tiers` in hotline.yaml (did you mean `VIP`?)"),
        ({"variables": {"customer.tier": "VIP"}}, "names with a dot are the hotline's own"),
    ],
)
def test_what_cannot_be_done_is_a_fault_with_its_remedy(test: Test, answer: Any, fault: str) -> None:
    with saying({"status": "ok", **answer}) as url:
        code, said = test("--number", "13800138000", url=url)
    assert (code, fault in said) == (3, True), said


@pytest.mark.parametrize(
    ("answer", "does"),
    [
        ({"route": {"action": "queue", "target": "sales"}}, "leaves the flow for route queue sales"),
        ({"route": {"action": "agent", "target": "8001"}}, "leaves the flow for route agent 8001"),
        ({"route": {"action": "hangup"}}, "leaves the flow for route hangup"),
        ({"route": {"require": "mandarin>=3"}}, "only agents who meet `mandarin>=3` are offered the call"),
        ({"route": {"announce": "welcome"}}, "hears `welcome` before waiting"),
    ],
)
def test_what_can_be_done_is_said(test: Test, answer: Any, does: str) -> None:
    with saying({"status": "ok", **answer}) as url:
        code, said = test("--number", "13800138000", url=url)
    assert (code, does in said) == (0, True), said


@pytest.mark.parametrize(
    ("answer", "status", "remedy"),
    [
        ({"error": "bad signature"}, 401, "does it have the same secret, and the right time?"),
        ({}, 302, "write the final address as identity.url"),
        (b"404: Not Found", 404, "is it the right address?"),
        ({}, 500, "look into its own log"),
        ({"status": "OK"}, 200, "its answer is outside of the contract: status: "),
        (b"<html>\x1b[31m", 200, "docs/identity.schema.json"),
    ],
)
def test_no_usable_answer_is_a_fault_with_its_remedy(test: Test, answer: Any, status: int, remedy: str) -> None:
    with saying(answer, status) as url:
        code, said = test("--number", "13800138000", url=url)
    assert (code, remedy.replace("it the", f"{url} the") in said) == (1, True), said
    assert "\x1b" not in said


def test_a_dead_endpoint_is_named_and_nothing_but_json_is_printed(test: Test) -> None:
    with saying({}) as url:
        pass
    code, said = test("--number", "13800138000", "--json", url=url)
    told = json.loads(said)
    assert (code, told["outcome"], told["status"]) == (1, "unavailable", None)
    assert told["faults"] == [
        f"nobody can be reached at {url} ({told['detail']}): is it running, and is there a way to it?"
    ]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--url", "ftp://x"], "identity url must be http"),
        (["--secret-file", "/nowhere"], "the secret in /nowhere cannot be read"),
        (["--site", "/nowhere"], "no such folder"),
        (["--pin-stdin"], "no PIN came on standard input"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_exit_code_2(test: Test, options: list[str], why: str) -> None:
    code, said = test("--number", "13800138000", *options)
    assert (code, why in said) == (2, True), said


def test_the_number_is_read_by_the_rules_of_its_trunk(test: Test, example: str, tmp_path: Path) -> None:
    site = tmp_path / "site"
    for folder in FOLDERS:
        shutil.copytree(PROJECT / folder, site / folder)
    file = site / "dialplan/hotline.yaml"
    hotline = yaml.safe_load(file.read_text())
    hotline.setdefault("trunks", {}).setdefault("demo-carrier", {})["strip"] = ["9"]
    file.write_text(yaml.safe_dump(hotline, allow_unicode=True))
    _, said = test("--number", "913800138000", "--trunk", "demo-carrier", "--site", str(site), url=example)
    assert "about +8613800138000" in said
