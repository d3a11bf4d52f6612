"""`hotline check` on a terminal and for programs; what Asterisk says is tests/e2e/test_check.py's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.config import site as sites

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name in sites.FOLDERS:
        shutil.copytree(PROJECT / name, tmp_path / name)
    return tmp_path


def check(site: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", "--site", str(site), "--no-asterisk", *options])
    return result.exit_code, result.output


def add(site: Path, file: str, text: str) -> None:
    with (site / file).open("a") as there:
        there.write(text)


def test_a_site_without_faults_is_summed_up(site: Path) -> None:
    code, output = check(site, "--strict")
    assert code == 0
    assert "no faults" in output
    assert "numbers: 4008001234" in output


def test_a_warning_lets_a_site_pass_unless_it_is_to_be_strict(site: Path) -> None:
    add(site, "dialplan/flows/spare.yaml", "steps:\n  bye:\n    play: [goodbye]\n")
    code, output = check(site)
    assert code == 0
    assert "warning: no number and no step leads to flow `spare`" in output
    assert "1 warning." in output
    assert check(site, "--strict")[0] == 2


def test_an_error_is_told_at_its_place_and_keeps_the_site_from_being_used(site: Path) -> None:
    add(site, "dialplan/flows/night.yaml", "\n  more:\n    play: [goodbye]\n    then: nowhere\n")
    line = len((site / "dialplan/flows/night.yaml").read_text().splitlines())
    code, output = check(site)
    assert code == 2
    assert f"dialplan/flows/night.yaml:{line}:5: error: goes to `nowhere`, which is no step here" in output
    assert "it cannot be used" in output


def test_findings_are_json_for_programs(site: Path) -> None:
    add(site, "agi_scripts/menu.py", "\nasync def (:\n")
    code, output = check(site, "--json")
    assert code == 0
    (finding,) = json.loads(output)
    assert (finding["file"], finding["severity"]) == ("agi_scripts/menu.py", "warning")
    assert finding["message"].startswith("is no Python: ")


def test_tests_that_cannot_be_read_are_errors(site: Path) -> None:
    add(site, "dialplan/tests/office.yaml", "\n  another one:\n    at: now\n    expect: {}\n")
    code, output = check(site)
    assert code == 2
    assert "`at`: 'now' is no time" in output
