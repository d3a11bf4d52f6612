"""The demo sends agents to lunch, and fetches them back whatever happens."""

from __future__ import annotations

from typing import Any, cast

import pytest

from demo.story import Proof, Watcher, tell
from engine.host.state import State
from phones import PhoneError, Phones
from tests.unit.fake_engine import FakeEngine


class BrokenPhones:
    """Its phones register; its carrier fails, in the middle of the demo."""

    async def phone(self, *_: Any, **__: Any) -> Any:
        return type("Registered", (), {"registered": True})

    async def carrier(self, **_: Any) -> Any:
        raise PhoneError("the carrier's line is dead")


def idle(user: str) -> dict[str, str]:
    return {"id": user, "device": "idle", "work": "idle"}


async def test_agents_are_ready_again_after_a_demo_that_failed_midway(state: State) -> None:
    engine = FakeEngine(state.api_socket, {"/v1/agents": [idle("8001"), idle("8003")]})
    engine.open()
    try:
        with pytest.raises(PhoneError, match="the carrier's line is dead"):
            await tell(
                cast(Phones, BrokenPhones()),
                state,
                Proof(lambda *_: None),
                Watcher(state.api_socket, {}, lambda _: None),
            )
    finally:
        engine.close()
    last = {path.split("/")[3]: body["intent"] for path, body in engine.posted if "/agents/" in path}
    assert last == {"8001": "ready", "8003": "ready"}
    assert {body.get("reason") for _, body in engine.posted} >= {"lunch", "training"}
