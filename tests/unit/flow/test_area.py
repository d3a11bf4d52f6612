"""`area`: by group, province, city and carrier, with a branch for callers of whom nothing is known."""

from __future__ import annotations

import pytest

from tests.unit.flow.deciding import decide

GROUPS = {"area": "group", "when": {"south": "guangzhou", "other": "elsewhere", "unknown": "ask"}, "then": "menu"}


@pytest.mark.parametrize(
    ("caller", "step", "outcome"),
    [
        ("075588881234", "guangzhou", "south"),
        ("01088881234", "elsewhere", "north"),  # a group without a branch
        ("02188881234", "elsewhere", "other"),
        ("anonymous", "ask", "unknown"),
    ],
)
async def test_each_group_has_its_branch(caller: str, step: str, outcome: str) -> None:
    decided = await decide(GROUPS, caller=caller)
    assert (decided.step, decided.outcome) == (step, outcome)


@pytest.mark.parametrize(
    ("kind", "when", "caller", "step", "outcome"),
    [
        ("province", {"广东省": "gd"}, "075588881234", "gd", "广东"),
        ("province", {"广东": "gd", "other": "o"}, "01088881234", "o", "北京"),
        ("province", {"香港": "hk"}, "+85223456789", "hk", "香港"),
        ("province", {"广东": "gd", "unknown": "u"}, "anonymous", "u", "unknown"),
        ("city", {"深圳": "sz", "广州": "gz"}, "02088881234", "gz", "广州"),
        ("city", {"北京市": "bj"}, "13800138000", "bj", "北京"),
        ("carrier", {"中国移动": "cm"}, "13800138000", "cm", "中国移动"),
        ("carrier", {"中国移动": "cm", "unknown": "u"}, "075588881234", "u", "unknown"),  # landlines: not in the table
    ],
)
async def test_places_and_carriers_are_named_as_people_name_them(
    kind: str, when: dict[str, str], caller: str, step: str, outcome: str
) -> None:
    decided = await decide({"area": kind, "when": when, "then": "menu"}, caller=caller)
    assert (decided.step, decided.outcome) == (step, outcome)


async def test_what_is_known_of_the_place_is_kept_for_later_steps() -> None:
    known = (await decide(GROUPS, caller="075588881234")).variables
    assert [known[f"caller.{part}"] for part in ("province", "city", "group")] == ["广东", "深圳", "south"]
    unknown = (await decide(GROUPS, caller="anonymous")).variables
    assert [unknown[f"caller.{part}"] for part in ("province", "city", "group")] == ["", "", "unknown"]


async def test_without_a_branch_the_call_goes_on() -> None:
    assert (await decide({"area": "city", "then": "menu"})).step == "menu"
