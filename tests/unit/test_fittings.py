"""What an engine cannot work with is said in one sentence when it starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import fittings
from engine.config.models import IdentitySettings
from engine.config.site import Site
from engine.host.state import CannotRun, State
from engine.identity.endpoint import Identity, NoIdentity
from tests.unit.flow.scripted import default_site


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path / "st")
    state.make()
    return state


def site(**identity: Any) -> Site:
    settings = IdentitySettings(url="http://127.0.0.1/").model_copy(update=identity)
    there = default_site()
    return replace(there, hotline=there.hotline.model_copy(update={"identity": settings}))


def test_without_a_file_the_secret_is_the_hotlines_own(state: State) -> None:
    assert isinstance(fittings.identity(site(), state), Identity)
    assert fittings.shared_secret(site(), state) == state.secret("identity")


def test_without_an_endpoint_nobody_is_known(state: State) -> None:
    there = default_site()
    nowhere = replace(there, hotline=there.hotline.model_copy(update={"identity": None}))
    assert isinstance(fittings.identity(nowhere, state), NoIdentity)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, r"identity\.secret_file in dialplan/hotline\.yaml cannot be read: .*No such file"),
        (b"\xff\xfe", r"cannot be read: .*can't decode"),
        (b" \n", r"is empty; write the secret into it"),
    ],
)
def test_a_secret_that_is_none_is_named(state: State, tmp_path: Path, content: bytes | None, why: str) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CannotRun, match=why):
        fittings.identity(site(secret_file=str(file)), state)


def test_an_address_from_the_environment_that_is_none_is_named(state: State) -> None:
    with pytest.raises(CannotRun, match="identity url must be http"):
        fittings.identity(site(url="ftp://crm/"), state)
