"""A `route` in the identity endpoint's answer: a step that the company has written at that moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from engine.acd import parse
from engine.flow.steps.base import CallFlow, Enter, Next, Outcome
from engine.flow.visit import Visit
from engine.identity.contract import Action, Route
from engine.journal.events import RouteObeyed
from engine.sounds import UnknownPrompt

if TYPE_CHECKING:
    from engine.config.site import Site


async def obey(route: Route, visit: Visit) -> Outcome | None:
    """What a route asks for; None when the flow goes its own way, also when the route cannot be followed: an
    endpoint's mistake is noted, and the caller is served as if it had said nothing. Raises HungUp."""
    _keep(route, visit)
    if route.action is None:
        return None
    reason = why_not(route, visit.site, visit.leg.language)
    if reason:
        visit.note(RouteObeyed, action=route.action, target=route.target, obeyed=False, detail=reason)
        return None
    visit.note(RouteObeyed, action=route.action, target=route.target, obeyed=True)
    if route.action is Action.FLOW:
        return Enter(route.target, f"route flow {route.target}")
    if route.action is Action.PLAY:
        await visit.say([route.target])
        return None
    outcome: Outcome = await _as_step(route.action, route.target).run(visit)
    if isinstance(outcome, CallFlow | Enter | Next):
        return Next(None, f"route {route.action}: {outcome.outcome}")
    return outcome


def _keep(route: Route, visit: Visit) -> None:
    """What holds for the call from now on, wherever it goes: queues look at it."""
    if route.priority:
        visit.variables["route.priority"] = max(route.priority, float(visit.variables.get("route.priority") or 0))
    if route.require:
        visit.variables["route.require"] = str(parse(route.require))
    if route.announce:
        visit.variables["route.announce"] = route.announce


def why_not(route: Route, site: Site, language: str) -> str:
    """Why a route's action cannot be followed; "" when it can."""
    target = route.target
    match route.action:
        case Action.QUEUE if target not in site.queues:
            return "there is no such queue"
        case Action.AGENT if target not in site.agents:
            return "there is no such agent"
        case Action.FLOW if target not in site.flows:
            return "there is no such flow"
        case Action.PLAY:
            try:
                site.sound(target, language)
            except UnknownPrompt:
                return "there is no such prompt"
        case Action.EXTENSION | Action.NUMBER | Action.VOICEMAIL | Action.QUEUE | Action.HANGUP:
            try:
                _as_step(route.action, target)
            except ValidationError:
                return "its target cannot be used"
        case _:
            pass
    return ""


def _as_step(action: Action, target: str) -> Any:
    # Only here: the steps import this file.
    from engine.flow.steps import read_step

    written: dict[str, Any] = {
        Action.QUEUE: {"queue": target},
        Action.AGENT: {"extension": target},
        Action.EXTENSION: {"extension": target},
        Action.NUMBER: {"number": target},
        Action.VOICEMAIL: {"voicemail": target or "default"},
        Action.HANGUP: {"hangup": "rejected", "cause": "rejected"},
    }[action]
    return read_step(written)
