"""`hotline simulate` and `hotline test` on a terminal."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli.main import app

PROJECT = Path(__file__).resolve().parents[3]
DAY = ("--at", "2026-10-12 10:00")


def run(*command: str, keys: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, command, input=keys)
    return result.exit_code, result.output


@pytest.fixture
def site(tmp_path: Path) -> Path:
    shutil.copytree(PROJECT / "dialplan", tmp_path / "dialplan")
    shutil.copytree(PROJECT / "sip_trunks", tmp_path / "sip_trunks")
    shutil.rmtree(tmp_path / "dialplan/tests")
    (tmp_path / "dialplan/tests").mkdir()
    return tmp_path


def write_test(site: Path, text: str) -> None:
    (site / "dialplan/tests/some.yaml").write_text(text)


def test_it_tells_what_is_heard_and_where_it_ends() -> None:
    code, output = run(
        "simulate", "--from", "13800138000", "--to", "4008001234", *DAY, "--keys", "2", "--language", "en"
    )
    assert code == 0
    assert "For sales, press one." in output
    assert "ends: queue service" in output


def test_without_keys_the_caller_is_asked_at_every_question() -> None:
    code, output = run("simulate", "--from", "13800138000", *DAY, keys="7\nnonsense\n\n2\n")
    assert code == 0
    assert "`nonsense` is nothing that a caller does" in output
    assert "ends: queue service" in output


def test_a_person_who_leaves_hangs_up() -> None:
    code, output = run("simulate", "--from", "13800138000", *DAY, keys="")
    assert code == 0
    assert "ends: caller_hung_up" in output


def test_the_story_is_json_for_programs() -> None:
    code, output = run("simulate", "--from", "anonymous", *DAY, "--keys", "2", "--json")
    assert code == 0
    story = json.loads(output)
    assert story["end"]["target"] == "service"
    assert story["variables"]["caller.presentation"] == "restricted"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--to", "4001112222"], "4001112222 is no number"),
        (["--keys", "x"], "`x` is nothing that a caller does"),
        (["--at", "yesterday"], "'yesterday' is no time"),
        (["--identity", "nowhere.json"], "nowhere.json cannot be read"),
        (["--language", "fr"], "'fr' is spoken by nobody"),
    ],
)
def test_what_cannot_be_played_is_told_in_a_sentence(options: list[str], said: str) -> None:
    code, output = run("simulate", "--from", "13800138000", "--keys", "1", *options)
    assert code == 1
    assert said in output
    assert "Traceback" not in output


def test_an_answer_file_is_told_of_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text('{"status": "ok",\n oops}')
    code, output = run("simulate", "--from", "1", "--keys", "1", "--identity", str(tmp_path / "answer.json"))
    assert code == 1
    assert "answer.json:2:" in output


def test_a_call_costs_little_more_than_to_start_the_program() -> None:
    """By the clock of an idle machine that is less than a second; here others work as well, on cores of any speed."""
    started = cpu_s("-c", "import engine.cli.main")
    called = cpu_s("-m", "engine.cli", "simulate", "--from", "13800138000", *DAY, "--keys", "silence,2")
    assert called < 2 * started


def cpu_s(*python: str) -> float:
    """What a process costs, the lesser of two times."""

    def once() -> float:
        before = os.times()
        subprocess.run([sys.executable, *python], cwd=PROJECT, check=True, capture_output=True)
        after = os.times()
        return after.children_user - before.children_user + after.children_system - before.children_system

    return min(once(), once())


def test_the_default_sites_calls_go_where_they_must() -> None:
    code, output = run("test", "--site", str(PROJECT))
    assert code == 0, output
    assert " 0 failed" in output


def test_a_call_that_goes_elsewhere_is_shown_beside_what_was_expected(site: Path) -> None:
    write_test(
        site,
        "calls:\n"
        "  to sales:\n    at: 2026-10-12 10:00\n    keys: '2'\n"
        "    expect: {path: [..., main/menu, main/sales], ends: queue sales, head_start: 5m, hears: [closed-night]}\n"
        "  to service:\n    at: 2026-10-12 10:00\n    keys: '2'\n    expect: {ends: queue}\n",
    )
    code, output = run("test", "--site", str(site))
    assert code == 1
    assert "WRONG to sales (dialplan/tests/some.yaml:2)" in output
    assert "expected queue sales" in output
    assert "got      queue service" in output
    assert "head_start_s expected 300.0, got 0.0" in output
    assert "expected closed-night" in output
    assert "1 passed, 1 failed" in output


def test_only_some_of_the_tests_are_played(site: Path) -> None:
    call = "    at: 2026-10-12 10:00\n    keys: '2'\n    expect: {ends: queue}\n"
    write_test(site, f"calls:\n  one:\n{call}  two:\n{call}")
    assert run("test", "TWO", "--site", str(site))[1].splitlines()[-1] == "1 passed, 0 failed"
    code, output = run("test", "three", "--site", str(site))
    assert code == 1
    assert "2 tests, none with three in its name" in output


def test_the_verdicts_are_json_for_programs(site: Path) -> None:
    write_test(site, "calls:\n  one:\n    at: 2026-10-12 10:00\n    keys: '2'\n    expect: {language: en}\n")
    code, output = run("test", "--site", str(site), "--json")
    assert code == 1
    (verdict,) = json.loads(output)
    assert (verdict["ok"], verdict["differences"]) == (False, ["language expected en, got zh-CN"])


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("    at: soon\n    expect: {}\n", "some.yaml:3:5: `at`: 'soon' is no time; write 2026-10-01 03:00"),
        ("    at: 2026-10-12 10:00\n    expects: {}\n", "`expects` is not a setting here"),
        ("    at: 2026-10-12 10:00\n    keys: '1,x'\n    expect: {}\n", "some.yaml:4:5: `x` is nothing that a caller"),
        ("    at: 2026-10-12 10:00\n    to: '999'\n    expect: {}\n", "some.yaml:4:5: 999 is no number"),
        ("    at: 2026-10-12 10:00\n    identity: {status: x}\n    expect: {}\n", "some.yaml:4:5: caller.status"),
    ],
)
def test_a_test_that_cannot_be_read_is_a_fault_at_its_line(site: Path, test: str, said: str) -> None:
    write_test(site, f"calls:\n  one:\n{test}")
    code, output = run("test", "--site", str(site))
    assert code == 2
    assert said in output
