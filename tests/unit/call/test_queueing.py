"""What a caller brings to a queue, and how they wait there for it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.call.inbound import InboundCall
from engine.call.queueing import terms
from engine.call.record import CallRecord
from engine.config.site import Site
from engine.flow.steps.base import ToQueue
from engine.orders import StandingOrders
from tests.unit.queues.writing import site

TIERS = {"gold": {"served_within": "2m"}, "plain": {"head_start": "1m"}}


@pytest.fixture
def desk(tmp_path: Path) -> Site:
    queues = {"sales": {"require": "sales", "place_kept": "1m", "served_within": "5m"}, "mail": {"require": "sales"}}
    return site(tmp_path, queues, hotline={"tiers": TIERS})


def caller(desk: Site, **facts: Any) -> InboundCall:
    record = CallRecord("1abc", "c1", "4008001234", **{"number": "+8613600136001", "presentation": "allowed", **facts})
    services = SimpleNamespace(orders=StandingOrders())
    call = SimpleNamespace(site=desk, record=record, now_ms=lambda: 1, board=SimpleNamespace(services=services))
    return cast(InboundCall, call)


@pytest.mark.parametrize(("tier", "served_within_ms"), [("gold", 120_000), ("plain", 0), ("", 0), ("unknown", 0)])
def test_a_tier_brings_how_long_it_may_wait_at_the_most(desk: Site, tier: str, served_within_ms: int) -> None:
    call = caller(desk, variables={"customer.tier": tier})
    for queue in desk.queues:
        assert terms(call, ToQueue(queue=queue)).served_within_ms == served_within_ms


def test_a_place_is_kept_only_for_whom_a_number_tells_apart(desk: Site) -> None:
    known = terms(caller(desk), ToQueue(queue="sales")).who
    assert known == terms(caller(desk), ToQueue(queue="sales")).who != ""
    assert terms(caller(desk, number="+8613600136002"), ToQueue(queue="sales")).who not in ("", known)
    assert terms(caller(desk), ToQueue(queue="mail")).who == ""
    assert terms(caller(desk, number="", presentation="restricted"), ToQueue(queue="sales")).who == ""
