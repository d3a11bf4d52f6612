import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.host.state import CannotRun, State


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_may_look_into_the_state_folder(tmp_path: Path) -> None:
    outer = os.umask(0)
    try:
        State(tmp_path / "st").make()
    finally:
        os.umask(outer)
    assert mode(tmp_path / "st") == 0o700


def test_a_state_folder_that_was_open_is_closed_at_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "st"
    folder.mkdir()
    folder.chmod(0o755)
    State(folder).make()
    assert mode(folder) == 0o700


def test_a_folder_that_is_everybodys_is_refused_and_stays_open(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(CannotRun, match="shared by everybody; give --state a folder of its own"):
        State(tmp_path).make()
    assert mode(tmp_path) == 0o1777
    assert list(tmp_path.iterdir()) == []


def test_a_secret_stays_the_same_and_is_the_owners_alone(tmp_path: Path) -> None:
    state = State(tmp_path / "st")
    state.make()
    secret = state.secret("ari")
    assert State(tmp_path / "st").secret("ari") == secret
    assert len(secret) >= 32
    assert mode(tmp_path / "st/secrets/ari") == 0o600


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["calls"],
        ["call", "1"],
        ["queues"],
        ["agents"],
        ["agents", "ready", "8001"],
        ["agents", "credentials", "8001"],
    ],
    ids=" ".join,
)
def test_a_command_that_only_looks_leaves_no_folder_behind(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOTLINE_STATE", raising=False)
    site = Path(__file__).resolve().parents[2]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dialplan").symlink_to(site / "dialplan")
    said = CliRunner().invoke(app, command)
    assert said.exit_code == 1
    assert isinstance(said.exception, SystemExit)
    assert "hotline up" in said.output
    assert not (tmp_path / "var").exists()


def test_a_path_that_is_too_long_is_said_in_one_sentence(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["status", "--state", str(tmp_path / ("far" * 40))])
    assert said.exit_code == 1
    assert isinstance(said.exception, SystemExit)
    assert "too long a path for a Unix socket" in said.output
