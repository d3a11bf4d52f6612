"""What the hotline would do with an identity endpoint's answer, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.acd import parse
from engine.config.site import Site
from engine.config.source import nearest
from engine.config.trunks import dialable
from engine.flow.claim import head_start_s
from engine.flow.route import why_not
from engine.flow.steps import Step
from engine.identity.contract import Action, Outcome, Route
from engine.identity.endpoint import Answer
from engine.identity.trial import Trial
from engine.journal.spans import span
from engine.sounds import LANGUAGES, UnknownPrompt


@dataclass(slots=True)
class Findings:
    """Sentences for a person: what would happen, and what somebody has to change."""

    does: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def judge(site: Site, trial: Trial, *, kind: str, url: str, deadline_s: float) -> Findings:
    """`kind`: the step that asks, `lookup` or `verify`."""
    findings, answer = Findings(), trial.answer
    if remedy := _remedy(trial, url, deadline_s):
        findings.faults.append(remedy)
    findings.does += _branches(site, kind, answer.outcome)
    _customer(site, answer, findings)
    if answer.route:
        _route(site, answer.route, findings)
    for name in answer.variables:
        if "." in name:
            findings.faults.append(f"variables.{name} is dropped: names with a dot are the hotline's own")
        else:
            findings.does.append(f"sets the variable {name}")
    return findings


def _remedy(trial: Trial, url: str, deadline_s: float) -> str:
    """What to do about an endpoint that gave no answer; "" when it gave one."""
    answer, status = trial.answer, trial.heard.status if trial.heard else 0
    match answer.outcome:
        case Outcome.TIMEOUT:
            return f"no answer within {deadline_s:g} s: make it faster, or raise identity.deadline in hotline.yaml"
        case Outcome.UNAVAILABLE if answer.detail.startswith("HTTP"):
            return f"it says {answer.detail}: look into its own log"
        case Outcome.UNAVAILABLE:
            return f"nobody can be reached at {url} ({answer.detail}): is it running, and is there a way to it?"
        case Outcome.INVALID if status in (401, 403):
            return f"it refuses the signature (HTTP {status}): does it have the same secret, and the right time?"
        case Outcome.INVALID if status in (301, 302, 303, 307, 308):
            return f"it redirects (HTTP {status}), which is not followed: write the final address as identity.url"
        case Outcome.INVALID if status and not 200 <= status < 300:
            return f"it says HTTP {status}: is {url} the right address?"
        case Outcome.INVALID:
            return f"its answer is outside of the contract: {answer.detail} (docs/identity.schema.json)"
    return ""


def _branches(site: Site, kind: str, outcome: Outcome) -> Iterator[str]:
    """Where each step that asks goes on after this outcome."""
    for flow_name, flow in site.flows.items():
        for name, step in flow:
            if step.kind == kind:
                target = _target(step, outcome) or flow.below(name)
                yield f"flow {flow_name}, step {name}: goes on at {target or 'the end of the flow'}"


def _target(step: Step, outcome: Outcome) -> str | None:
    return step.when.get(outcome, step.then)


def _customer(site: Site, answer: Answer, findings: Findings) -> None:
    customer = answer.customer
    if customer is None:
        return
    findings.does.append(
        f"agents see {customer.name}" if customer.name else "agents see the number, as there is no name"
    )
    if customer.tier and customer.tier not in site.hotline.tiers:
        hint = nearest(customer.tier, site.hotline.tiers)
        findings.faults.append(f"the tier `{customer.tier}` is not under `tiers` in hotline.yaml{hint}")
    elif customer.tier:
        findings.does.append(f"counts as tier {customer.tier}")
    priority = answer.route.priority if answer.route else 0.0
    ahead = head_start_s(site, {"customer.tier": customer.tier, "route.priority": priority})
    if ahead:
        findings.does.append(f"in any queue counts as having waited {span(round(ahead * 1000))} already")


def _route(site: Site, route: Route, findings: Findings) -> None:
    if route.action is not None:
        impossible = why_not(route, site, LANGUAGES[0]) or _nowhere(site, route)
        words = f"route {route.action} {route.target}".rstrip()
        if impossible:
            findings.faults.append(f"{words} cannot be followed: {impossible}")
        else:
            findings.does.append(f"leaves the flow for {words}")
    if route.require:
        requirement = parse(route.require)
        if any(requirement.met_by(agent.abilities, agent_id) for agent_id, agent in site.agents.items()):
            findings.does.append(f"only agents who meet `{route.require}` are offered the call")
        else:
            findings.faults.append(f"no agent in agents.yaml can ever meet `{route.require}`")
    if route.announce:
        try:
            site.sound(route.announce, LANGUAGES[0])
            findings.does.append(f"hears `{route.announce}` before waiting")
        except UnknownPrompt as error:
            findings.faults.append(f"route.announce: {error}")


def _nowhere(site: Site, route: Route) -> str:
    """Why nobody is at the other end; "" when somebody may be."""
    if route.action is Action.EXTENSION and route.target not in {*site.agents, *site.hotline.branches}:
        return "neither an agent nor a branch has this extension"
    if route.action is Action.NUMBER:
        number = dialable(route.target, area_code=site.hotline.area_code)
        ways_out = [trunk.outbound for trunk in site.hotline.trunks.values() if trunk.outbound]
        if not number or not any(outbound.why_not(number) is None for outbound in ways_out):
            return "no trunk in hotline.yaml allows this number (`outbound`, `allow`)"
    return ""
