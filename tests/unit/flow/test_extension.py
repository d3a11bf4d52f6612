"""The `extension` step: who is asked for. How they are reached is tests/unit/call and tests/e2e."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from engine.config.site import Site
from engine.config.trunks import Branch
from engine.flow.steps.base import ToAgent, ToNumber
from tests.unit.flow.scripted import Walked, default_site, walk

LOST = {"lost": {"hangup": "flow_hangup"}}


def site() -> Site:
    branches = {"801": Branch(name="前台"), "802": Branch(name="上海", number="021-88881234")}
    default = default_site()
    return replace(default, hotline=default.hotline.model_copy(update={"branches": branches}))


async def dial(keys: Sequence[str], settings: dict[str, Any], **variables: Any) -> Walked:
    step = {**settings, "when": {"unknown": "lost"}}
    return await walk(keys, {"dial": step, **LOST}, site=site(), **variables)


async def test_an_agents_extension_is_a_wait_for_that_very_agent() -> None:
    walked = await dial([*"8001"], {"extension": "keyed", "patience": "45s", "ring": "15s"})
    assert walked.end == ToAgent(
        agent="8001", ring_s=15.0, patience_s=45.0, wrap_up_s=10.0, music="default", branches={"unknown": "lost"}
    )
    assert walked.leg.heard == ["enter-extension"]
    assert walked.variables["extension"] == "8001"


async def test_a_branch_is_its_number_or_its_phone() -> None:
    phone = await dial([*"801#"], {"extension": "keyed"})
    assert isinstance(phone.end, ToNumber)
    assert (phone.end.number, phone.end.extension) == ("", "801")
    number = await dial([*"802#"], {"extension": "keyed"})
    assert isinstance(number.end, ToNumber)
    assert (number.end.number, number.end.extension) == ("021-88881234", "802")


async def test_an_extension_of_full_length_needs_no_end_key_and_a_shorter_one_a_pause_or_a_hash() -> None:
    for keys in ([*"8001"], [*"8001#"], [*"801", ""], [*"801#"]):
        assert (await dial(keys, {"extension": "keyed"})).variables["extension"] == "".join(keys).rstrip("#")


async def test_an_unknown_extension_is_asked_for_again_and_then_the_flow_decides() -> None:
    walked = await dial([*"8009", *"8001"], {"extension": "keyed"})
    assert isinstance(walked.end, ToAgent)
    assert walked.leg.heard == ["enter-extension", "extension-unknown", "enter-extension"]
    lost = await dial([*"8009", "", *"77#"], {"extension": "keyed"})
    assert lost.entered == ["main/dial", "main/lost"]
    assert lost.leg.heard[1::2] == ["extension-unknown", "no-input", "extension-unknown"]
    assert "extension" not in lost.variables


@pytest.mark.parametrize(
    ("given", "reached"), [("8001", True), ("{owner}", True), ("8009", False), ("{nobody}", False)]
)
async def test_a_given_extension_is_not_asked_for(given: str, reached: bool) -> None:
    walked = await dial([], {"extension": given}, owner="8002", nobody="")
    assert isinstance(walked.end, ToAgent) is reached
    assert walked.leg.heard == []


async def test_only_those_listed_can_be_reached() -> None:
    only = {"extension": "keyed", "among": ["801", "8001"], "tries": 1}
    assert isinstance((await dial([*"8001"], only)).end, ToAgent)
    assert (await dial([*"8002"], only)).entered == ["main/dial", "main/lost"]
    assert (await dial([], {"extension": "{owner}", "among": ["801"]}, owner="8001")).entered[-1] == "main/lost"
