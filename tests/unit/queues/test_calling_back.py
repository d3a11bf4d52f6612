"""`callbacks` of a queue: what is written, what cannot work, and the page about it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.config import policies
from engine.config.queues import CallingBack
from engine.flow.steps import ToQueue
from tests.unit.queues.writing import PROJECT, faults, findings, site

PAGES = ("callbacks.md", "callbacks.zh-CN.md")
CARRIER = {"trunks": {"demo-carrier": {"outbound": {"allow": ["+86*"], "caller_id": "4008001234"}}}}


def text(page: str) -> str:
    return (PROJECT / "docs" / page).read_text(encoding="utf-8")


def shown(page: str) -> list[Any]:
    """Queues, trunks and steps, as the page has them."""
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text(page), re.DOTALL)]


@pytest.mark.parametrize("page", PAGES)
def test_what_the_page_shows_is_a_site_that_can_be_used(page: str, tmp_path: Path) -> None:
    queues, hotline, flow = shown(page)
    agents = {"8001": {"name": "李雷", "skills": {"sales": 5}}}
    assert findings(tmp_path, queues["queues"], agents=agents, steps=flow["steps"], hotline=hotline) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_is_in_the_table_with_its_default(page: str) -> None:
    table = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text(page), re.MULTILINE))
    assert table.keys() == set(CallingBack.model_fields)
    written = {name: default.strip("`") for name, default in table.items() if "`" in default}
    assert set(CallingBack.model_fields) - written.keys() == {"hours", "trunk"}
    assert written["first"] == CallingBack().first
    customer_first = {"first": "customer"}  # which is what `dial_ahead` needs
    assert CallingBack.model_validate(written | customer_first) == CallingBack.model_validate(customer_first)


def test_both_languages_show_the_same() -> None:
    english, chinese = (shown(page) for page in PAGES)
    assert english == chinese


@pytest.mark.parametrize(
    ("callbacks", "hotline", "said"),
    [
        ({}, {}, "nobody can be called back: no trunk has `outbound`"),
        ({"trunk": "demo-carier"}, CARRIER, "trunk `demo-carier` has no `outbound`"),
        ({"hours": "ofice"}, CARRIER, "no calendar `ofice`"),
        ({"first": "boss"}, CARRIER, "'agent' or 'customer'"),
        ({"tries": 0}, CARRIER, "greater than or equal to 1"),
        ({"first": "customer", "dial_ahead": "31s"}, CARRIER, "less than or equal to 30"),
        ({"dial_ahead": "5s"}, CARRIER, "`dial_ahead` needs `first: customer`"),
    ],
)
def test_callbacks_that_nobody_could_make_are_said_to_be(
    tmp_path: Path, callbacks: dict[str, Any], hotline: dict[str, Any], said: str
) -> None:
    (fault,) = faults(tmp_path, {"sales": {"require": "any", "callbacks": callbacks}}, hotline=hotline)
    assert said in fault
    assert fault.startswith("dialplan/queues.yaml:")


@pytest.mark.parametrize(
    ("callbacks", "ahead_ms"),
    [
        ({"first": "customer"}, 10_000),
        ({"first": "customer", "dial_ahead": "4s"}, 4_000),
        ({"first": "customer", "dial_ahead": 0}, 0),
        ({"first": "agent", "dial_ahead": 0}, 0),
        ({}, 0),
    ],
)
def test_only_a_customer_who_is_first_is_dialled_ahead(
    tmp_path: Path, callbacks: dict[str, Any], ahead_ms: int
) -> None:
    sales = site(tmp_path, {"sales": {"require": "any", "callbacks": callbacks}}, hotline=CARRIER)
    to = ToQueue(queue="sales")
    assert policies.policy_of_callback(to, sales, {}).ahead_ms == ahead_ms
    assert policies.policy_of(to, sales, {}).ahead_ms == 0, "who waits on the line is rung for when it is their turn"


def test_chats_are_not_called_back(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, {"sales": {"require": "any", "kind": "chat", "callbacks": {}}}, hotline=CARRIER)
    assert "`callbacks` are phone calls, and `kind: chat` are none" in fault
