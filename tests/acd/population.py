"""Agents and queues of the random histories: few enough to meet often, and all kinds of them."""

from __future__ import annotations

from engine.acd import AgentTerms, Empty, Order, Policy, Step
from tests.acd.desk import LEASE_MS, policy

STAFF = {
    "8001": AgentTerms({"sales": 5, "mandarin": 5}, rank=3, weight=1),
    "8002": AgentTerms({"sales": 2}, {"voice": 1, "chat": 2}, rank=2, weight=100),
    "8003": AgentTerms({"service": 4, "mandarin": 1}, {"voice": 1, "chat": 3}, rank=1, weight=10),
    "8004": AgentTerms({"sales": 3, "service": 3}, {"voice": 1, "chat": 2, "email": 5}, rank=1, weight=50),
    "8005": AgentTerms({"service": 1}, {"chat": 3}, rank=9, weight=7),
}
RELOADS = [
    STAFF,
    {id_: terms for id_, terms in STAFF.items() if id_ != "8004"},
    {**STAFF, "8002": AgentTerms({"sales": 5, "service": 1}, {"voice": 1, "chat": 1}, rank=7, weight=2)},
    {**STAFF, "8003": AgentTerms({"mandarin": 4}, {"voice": 1}, rank=1), "8005": AgentTerms({"sales": 1})},
    {**STAFF, "8001": AgentTerms({"sales": 5, "mandarin": 5}, {"voice": 0, "chat": 4})},
]
POLICIES = [
    ("sales", policy("any", wrapup_ms=0)),
    ("sales", policy("sales", ring=2)),
    ("sales", policy("sales | service", ahead_ms=4_000, wrapup_ms=8_000)),
    ("service", policy("service", "any", after=(6_000,), ahead_ms=12_000, max_wait_ms=25_000, ring=2)),
    ("sales", policy("sales>=3", "sales", "any", after=(5_000, 20_000), order=Order.FEWEST_CALLS, head_start_ms=5_000)),
    (
        "service",
        policy(
            "service & mandarin", "service | mandarin", after=(10_000,), capacity=2,
            leave_when=frozenset({Empty.NO_AGENTS, Empty.NONE_ELIGIBLE}),
        ),
    ),
    (
        "service",
        Policy(
            (Step(0, "sales | service", ("mandarin>=3", "sales>=3", "agent:8002")), Step(8_000, "any", ("service",))),
            LEASE_MS, 3_000, order=Order.MOST_PROFICIENT, max_wait_ms=30_000, served_within_ms=10_000,
        ),
    ),
    ("service", policy("any", order=Order.RANDOM, ring=0, max_wait_ms=15_000)),
    ("sales", policy("sales", order=Order.WEIGHTED, strict=2, served_within_ms=60_000)),
    ("chat", policy("any", kind="chat", order=Order.LEAST_OCCUPIED, wrapup_ms=3_000)),
    ("chat", policy("service", "any", after=(4_000,), kind="chat", order=Order.ROUND_ROBIN, ring=2)),
    ("chat", policy("service | sales", kind="chat", order=Order.RANDOM, wrapup_ms=0)),
    ("sales", policy("agent:8002", wrapup_ms=0, leave_when=frozenset({Empty.NONE_ELIGIBLE}))),
    (
        "post",
        policy(
            "mandarin", order=Order.LINEAR, place_kept_ms=20_000, ignored_limit=1, base="service",
            leave_when=frozenset({Empty.NO_AGENTS}),
        ),
    ),
    ("post", policy("service>=2", kind="email", order=Order.FEWEST_CALLS, lease_ms=5_000, wrapup_ms=1_000)),
    # Nobody has told Redis of the last two before an item asks for them.
    ("post", policy("sales>=5 | service>=4", order=Order.FEWEST_CALLS, wrapup_ms=0)),
    ("post", policy("service", order=Order.LEAST_OCCUPIED, place_kept_ms=60_000, ahead_ms=20_000)),
]  # fmt: skip
KNOWN = POLICIES[:-2]
