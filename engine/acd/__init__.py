"""Who answers: agents, requirements, waiting items and offers, decided in Redis."""

from engine.acd.acd import Acd, UnknownAgent
from engine.acd.offer import Missed, OfferState
from engine.acd.requirements import Requirement, RequirementError, parse
from engine.acd.states import (
    AgentState,
    Device,
    Intent,
    ItemState,
    Offer,
    Placement,
    QueueState,
    Work,
)

__all__ = [
    "Acd",
    "AgentState",
    "Device",
    "Intent",
    "ItemState",
    "Missed",
    "Offer",
    "OfferState",
    "Placement",
    "QueueState",
    "Requirement",
    "RequirementError",
    "UnknownAgent",
    "Work",
    "parse",
]
