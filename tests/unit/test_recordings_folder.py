"""Asterisk records into the state folder, on a new machine and on one that ran an older Hotline."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.host import generated
from engine.host.asterisk_program import AsteriskProgram
from engine.host.state import Ports, State

PROJECT = Path(__file__).resolve().parents[2]


def generate(state: State) -> Path:
    program = AsteriskProgram(("asterisk",), "22.10.1", None)
    generated.write(state, PROJECT, program, "127.0.0.1", Ports(5060))
    return state.asterisk / "spool/recording"


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path)
    state.make()
    return state


def test_what_asterisk_records_is_in_the_state_folder(state: State) -> None:
    for _ in range(2):  # as at every start
        folder = generate(state)
    (folder / "x.wav").write_bytes(b"RIFF")
    assert (state.recordings / "x.wav").exists()


def test_a_folder_that_asterisk_had_made_by_itself_is_kept_under_another_name(state: State) -> None:
    own = state.asterisk / "spool/recording"
    own.mkdir(parents=True)
    (own / "old.wav").write_bytes(b"RIFF")
    assert generate(state).resolve() == state.recordings
    assert own.with_name("recording.before").joinpath("old.wav").exists()
