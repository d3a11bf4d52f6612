"""A hotline's state, and an engine that answers its commands, for every test that wants them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.host.state import State
from tests.unit.fake_engine import FakeEngine


@pytest.fixture
def state() -> Iterator[State]:
    folder = Path(tempfile.mkdtemp(prefix="hl-"))  # Unix sockets have short names
    state = State(folder / "st")
    state.make()
    yield state
    shutil.rmtree(folder)


@pytest.fixture
def engine(state: State, request: pytest.FixtureRequest) -> Iterator[FakeEngine]:
    """It gives the ANSWERS of the test's module."""
    engine = FakeEngine(state.api_socket, dict(request.module.ANSWERS))
    engine.open()
    yield engine
    engine.close()
