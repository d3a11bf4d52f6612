"""From what an admin writes to what the ACD is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.acd import Empty, Order, Policy, Step
from engine.config import policies
from engine.config.policies import Preferred
from engine.config.site import Site
from engine.flow.steps.base import ToAgent, ToQueue
from engine.orders import HoursOrder, StandingOrders
from engine.store.order_rows import Orders
from tests.unit.queues.writing import AGENTS, site

SHANGHAI = ZoneInfo("Asia/Shanghai")
EVERYTHING: dict[str, Any] = {
    "steps": [{"require": "billing >= 8", "prefer": ["mandarin"]}, {"after": "20s", "require": "billing >= 5"}],
    "strategy": "round_robin",
    "ring": "15s",
    "ring_at_once": "all",
    "not_ready_after": 2,
    "wrap_up": "5s",
    "head_start": "60s",
    "strict": 2,
    "served_within": "4m",
    "max_wait": "5m",
    "capacity": 50,
    "place_kept": "2m",
}


@pytest.fixture
def desk(tmp_path: Path) -> Site:
    """A queue with everything, and one with nothing."""
    return site(tmp_path, {"billing": EVERYTHING, "mail": {"kind": "email", "require": "any"}})


def test_everything_that_is_written_of_a_queue_is_told(desk: Site) -> None:
    assert policies.policy_of(ToQueue(queue="billing"), desk, {}) == Policy(
        steps=(Step(0, "billing>=8", ("mandarin",)), Step(20_000, "billing>=5")),
        lease_ms=30_000,
        wrapup_ms=5_000,
        kind="voice",
        order=Order.ROUND_ROBIN,
        ring=0,
        head_start_ms=60_000,
        strict=2,
        served_within_ms=240_000,
        capacity=50,
        max_wait_ms=300_000,
        ignored_limit=2,
        place_kept_ms=120_000,
    )


def test_a_policy_is_worked_out_once_for_all_who_go_there_alike(desk: Site) -> None:
    alike = [desk.policy(ToQueue(queue="billing", branches={"no_agents": to}), {}) for to in ("here", "there")]
    assert alike[0] is alike[1]
    assert alike[0] == policies.policy_of(ToQueue(queue="billing", branches={"no_agents": "here"}), desk, {})
    for other in (ToQueue(queue="billing"), ToQueue(queue="billing", require="any", branches={"no_agents": "here"})):
        assert desk.policy(other, {}) == policies.policy_of(other, desk, {}) != alike[0]
    asked = {"route.require": "english"}
    assert desk.policy(ToQueue(queue="billing"), asked) == policies.policy_of(ToQueue(queue="billing"), desk, asked)


def test_what_the_endpoint_asks_for_holds_at_every_step_and_is_not_the_queues_own(desk: Site) -> None:
    policy = policies.policy_of(ToQueue(queue="billing"), desk, {"route.require": "english | mandarin"})
    assert [step.require for step in policy.steps] == [
        "billing>=8 & (english | mandarin)",
        "billing>=5 & (english | mandarin)",
    ]
    assert policy.base == "billing>=5"


def test_what_a_step_of_the_flow_requires_is_in_place_of_the_queues_steps(desk: Site) -> None:
    policy = policies.policy_of(ToQueue(queue="billing", require="any"), desk, {})
    assert (policy.steps, policy.base) == ((Step(0, "any"),), "billing>=5")


def test_a_caller_leaves_an_empty_queue_only_where_that_has_a_branch(desk: Site) -> None:
    assert policies.policy_of(ToQueue(queue="mail", branches={"full": "x"}), desk, {}).leave_when == frozenset()
    both = ToQueue(queue="mail", branches={"no_agents": "x", "none_eligible": "y"})
    assert policies.policy_of(both, desk, {}).leave_when == frozenset(Empty)


def test_every_way_to_a_queue_has_its_policy(tmp_path: Path) -> None:
    steps = {"a": {"queue": "billing", "for_tier": {"VIP": "mail"}, "when": {"no_agents": "b"}}, "b": {"queue": "mail"}}
    loaded = site(tmp_path, {"billing": EVERYTHING, "mail": {"require": "any"}}, steps=steps)
    told = [(policy.max_wait_ms, bool(policy.leave_when)) for policy in policies.policies(loaded)]
    assert told == [(300_000, True), (600_000, True), (600_000, False), (300_000, False)]


def test_agents_are_told_with_what_they_take_and_their_rank(tmp_path: Path) -> None:
    agents = AGENTS | {"8009": {"name": "赵敏", "queues": ["desk"], "weight": 30, "takes": {"voice": 0, "chat": 5}}}
    loaded = site(tmp_path, {"desk": {"kind": "chat"}}, agents=agents, kinds={"voice": {"interrupts": True}})
    terms = policies.terms(loaded)
    assert [terms[user].rank for user in ("8001", "8002", "8003", "8009")] == [0, 1, 2, 3]
    assert (terms["8009"].skills, terms["8009"].weight) == ({"queue:desk": 1}, 30)
    assert terms["8009"].takes == {"voice": 0, "chat": 5}, "nobody is asked for kinds that no queue has"
    assert terms["8001"].takes == {"voice": 1, "chat": 3}
    assert policies.interrupting(loaded) == {"voice"}
    assert policies.shares(loaded) == {}


def test_of_a_kind_that_has_a_weight_the_acd_is_told_it(tmp_path: Path) -> None:
    kinds = {"chat": {"at_once": 1, "weight": 30}, "fax": {"weight": 100}, "email": {"at_once": 4}}
    assert policies.shares(site(tmp_path, {"desk": {"kind": "chat"}}, kinds=kinds)) == {"chat": 30, "fax": 100}


def test_an_outside_phone_leaves_its_owner_time_to_press_the_key(tmp_path: Path) -> None:
    agents = AGENTS | {"8009": {"name": "赵敏", "confirm": True}}
    loaded = site(tmp_path, {"desk": {"require": "any", "ring_at_once": 3}}, agents=agents)
    assert policies.policy_of(ToQueue(queue="desk"), loaded, {}).lease_ms == 45_000


def test_who_wants_one_agent_waits_in_their_line(desk: Site) -> None:
    to = ToAgent(agent="8001", ring_s=15.0, patience_s=0.0, wrap_up_s=5.0, music="default")
    policy = policies.policy_of_agent(to, desk)
    assert policy.steps == (Step(0, "agent:8001"),)
    assert (policy.lease_ms, policy.wrapup_ms, policy.max_wait_ms) == (30_000, 5_000, 1)


@pytest.mark.parametrize(
    ("queue", "to", "variables", "agent"),
    [
        ({}, {}, {"customer.owner": "8001", "caller.last_agent": "8002"}, Preferred()),
        ({"owner": "30s"}, {}, {"customer.owner": "8001"}, Preferred("8001", 30_000)),
        ({"owner": "30s"}, {}, {"customer.owner": "8099"}, Preferred()),
        ({"owner": "0s"}, {}, {"customer.owner": "8001"}, Preferred("8001", 0)),
        ({"last_agent": "20s"}, {}, {"caller.last_agent": "8002"}, Preferred("8002", 20_000)),
        (
            {"owner": "30s", "last_agent": "20s"},
            {},
            {"customer.owner": "8001", "caller.last_agent": "8002"},
            Preferred("8001", 30_000),
        ),
        (
            {"owner": "30s"},
            {"preferred": "8003", "patience_s": 5.0},
            {"customer.owner": "8001"},
            Preferred("8003", 5_000),
        ),
    ],
)
def test_whom_a_caller_knows_is_preferred(
    tmp_path: Path, queue: dict[str, Any], to: dict[str, Any], variables: dict[str, Any], agent: Preferred
) -> None:
    loaded = site(tmp_path, {"desk": {"require": "any", **queue}})
    assert policies.preferred(ToQueue(queue="desk", **to), loaded, variables) == agent


def test_a_key_without_a_branch_does_nothing(tmp_path: Path) -> None:
    loaded = site(tmp_path, {"desk": {"require": "any", "keys": {"1": "callback", "0": "leave"}}})
    assert policies.keys(ToQueue(queue="desk", branches={"leave": "menu"}), loaded) == {"0": "leave"}


# A calendar of Monday to Friday, 9 to 18.

TEN, SEVEN_IN_THE_EVENING = (
    datetime(2026, 10, 12, 10, 0, tzinfo=SHANGHAI),
    datetime(2026, 10, 12, 19, 0, tzinfo=SHANGHAI),
)
HOUR_MS = 3_600_000


def forced(*, is_open: bool, until: datetime | None = None) -> StandingOrders:
    until_ms = None if until is None else round(until.timestamp() * 1000)
    return StandingOrders(Orders(0, (HoursOrder(calendar="office", is_open=is_open, until_ms=until_ms),), (), ()))


NOBODY_ORDERED = StandingOrders()


@pytest.mark.parametrize(
    ("closing", "orders", "at", "closes_in_ms"),
    [
        ("drain", NOBODY_ORDERED, TEN, None),
        ("drain", NOBODY_ORDERED, SEVEN_IN_THE_EVENING, 0),
        ("eject", NOBODY_ORDERED, TEN, 8 * HOUR_MS),
        ("eject", NOBODY_ORDERED, SEVEN_IN_THE_EVENING, 0),
        ("eject", forced(is_open=False), TEN, 0),
        ("eject", forced(is_open=True), TEN, None),
        ("eject", forced(is_open=True, until=SEVEN_IN_THE_EVENING), TEN, 9 * HOUR_MS),
        ("eject", forced(is_open=True, until=TEN.replace(hour=12)), TEN, 8 * HOUR_MS),
    ],
)
def test_how_long_one_may_wait_until_the_queue_closes(
    tmp_path: Path, closing: str, orders: StandingOrders, at: datetime, closes_in_ms: int | None
) -> None:
    loaded = site(tmp_path, {"desk": {"require": "any", "hours": "office", "closing": closing}})
    assert policies.closes_in_ms(loaded.queues["desk"], loaded, orders, at) == closes_in_ms


@pytest.mark.parametrize(("closing", "still_open_ms"), [("drain", None), ("eject", 0)])
def test_who_waits_when_the_queue_closes_is_served_still_unless_it_sends_them_out(
    tmp_path: Path, closing: str, still_open_ms: int | None
) -> None:
    loaded = site(tmp_path, {"desk": {"require": "any", "hours": "office", "closing": closing}})
    for orders, at in ((NOBODY_ORDERED, SEVEN_IN_THE_EVENING), (forced(is_open=False), TEN)):
        assert policies.still_open_ms(loaded.queues["desk"], loaded, orders, at) == still_open_ms


@pytest.mark.parametrize(
    ("closing", "orders", "at", "next_closing_ms"),
    [
        ("drain", NOBODY_ORDERED, SEVEN_IN_THE_EVENING, None),
        ("eject", NOBODY_ORDERED, TEN, 8 * HOUR_MS),
        ("eject", NOBODY_ORDERED, SEVEN_IN_THE_EVENING, 23 * HOUR_MS),
        ("eject", NOBODY_ORDERED, SEVEN_IN_THE_EVENING + timedelta(microseconds=600), 23 * HOUR_MS - 1),
        ("eject", forced(is_open=False), TEN, None),
        ("eject", forced(is_open=False, until=TEN.replace(hour=12)), TEN, 8 * HOUR_MS),
    ],
)
def test_what_is_put_back_while_the_queue_is_closed_may_wait_until_it_closes_again(
    tmp_path: Path, closing: str, orders: StandingOrders, at: datetime, next_closing_ms: int | None
) -> None:
    loaded = site(tmp_path, {"desk": {"require": "any", "hours": "office", "closing": closing}})
    assert policies.next_closing_ms(loaded.queues["desk"], loaded, orders, at) == next_closing_ms
