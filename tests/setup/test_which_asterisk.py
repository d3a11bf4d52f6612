"""Which Asterisk `hotline up` runs."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from engine.host import asterisk_program
from engine.host.state import CannotRun
from tests.setup.machine import Machine


@pytest.fixture
def path(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("PATH", str(machine.bin))
    monkeypatch.delenv("HOTLINE_ASTERISK", raising=False)
    return machine


def test_the_one_on_path_when_it_is_new_enough(path: Machine, tmp_path: Path) -> None:
    path.has_asterisk("22.4.0")
    program = asterisk_program.find(tmp_path / "none")
    assert (program.version, program.root) == ("22.4.0", None)
    assert program.argv == (str(path.bin / "asterisk"),)


def test_the_one_that_is_named_before_the_one_on_path(
    path: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.has_asterisk("22.4.0")
    monkeypatch.setenv("HOTLINE_ASTERISK", str(path.has("asterisk-of-mine", "echo Asterisk 23.0.0")))
    assert asterisk_program.find(tmp_path / "none").version == "23.0.0"


@pytest.mark.parametrize("version", ["20.6.0~dfsg+~cs6.13-2", "22.3.0", "certified/18.9-cert5"])
def test_an_old_one_on_path_is_refused_when_there_is_no_other(path: Machine, tmp_path: Path, version: str) -> None:
    path.has_asterisk(version)
    with pytest.raises(CannotRun, match=r"is too old; `make setup` gets Asterisk 22\.4 or newer") as refused:
        asterisk_program.find(tmp_path / "none")
    assert f"Asterisk {version.removeprefix('certified/')} at {path.bin}/asterisk" in str(refused.value)


def test_none_at_all(path: Machine, tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"there is no Asterisk here; `make setup` gets Asterisk 22\.4 or newer"):
        asterisk_program.find(tmp_path / "none")


def test_the_projects_own_is_run_by_its_own_loader_beside_an_old_one(path: Machine, tmp_path: Path) -> None:
    path.has_asterisk("20.6.0")
    library = tmp_path / "own/usr/lib" / f"{platform.machine()}-linux-gnu"
    library.mkdir(parents=True)
    # In place of the dynamic loader: it runs the program that it is given after `--library-path DIR`.
    path.has("loader", 'shift 2; "$@"').rename(library / "ld-linux-own.so.2")
    (tmp_path / "own/usr/sbin").mkdir()
    path.has("own", "echo Asterisk 22.10.1").rename(tmp_path / "own/usr/sbin/asterisk")
    program = asterisk_program.find(tmp_path / "own")
    assert (program.version, program.root) == ("22.10.1", tmp_path / "own")
    assert program.argv[-1] == str(tmp_path / "own/usr/sbin/asterisk")
