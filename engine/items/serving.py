"""How items are served: as callers of their queue are, but only by whoever has a program open."""

from __future__ import annotations

from dataclasses import replace

from engine.acd import Policy, Step, parse
from engine.acd.conditions import CLIENT
from engine.config import policies
from engine.config.site import Site
from engine.flow.steps.base import ToQueue


def policy_of(queue: str, site: Site) -> Policy:
    """How an item is served in that queue."""
    policy = policies.policy_of(ToQueue(queue=queue), site, {})
    steps = tuple(Step(step.after_ms, _with_program(step.require), step.prefer) for step in policy.steps)
    return replace(policy, steps=steps, base=policy.base and _with_program(policy.base))


def policies_of(site: Site) -> list[Policy]:
    """Those of the queues that are for items; others may be asked for, at some cost the first time."""
    return [policy_of(name, site) for name, queue in site.queues.items() if queue.kind != "voice"]


def _with_program(requirement: str) -> str:
    return parse(f"({requirement}) & {CLIENT}").text
