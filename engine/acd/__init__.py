"""Who answers: agents, requirements, waiting items and offers, decided in Redis."""

from engine.acd.acd import Acd
from engine.acd.explained import Explanation
from engine.acd.offer import Missed, OfferState
from engine.acd.policy import Empty, Order, Policy, Step
from engine.acd.requirements import Requirement, RequirementError, parse
from engine.acd.staff import AgentTerms, Said, UnknownAgent
from engine.acd.states import (
    TO_QUEUE,
    Accuracy,
    AgentState,
    Cancelled,
    Device,
    Figures,
    Hand,
    Intent,
    ItemState,
    Notice,
    Offer,
    Placement,
    QueueState,
    Released,
    Sooner,
    Work,
)

__all__ = [
    "TO_QUEUE",
    "Accuracy",
    "Acd",
    "AgentState",
    "AgentTerms",
    "Cancelled",
    "Device",
    "Empty",
    "Explanation",
    "Figures",
    "Hand",
    "Intent",
    "ItemState",
    "Missed",
    "Notice",
    "Offer",
    "OfferState",
    "Order",
    "Placement",
    "Policy",
    "QueueState",
    "Released",
    "Requirement",
    "RequirementError",
    "Said",
    "Sooner",
    "Step",
    "UnknownAgent",
    "Work",
    "parse",
]
