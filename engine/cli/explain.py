"""`hotline explain`: why a call or an item waits, or went to whom it did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from engine.acd.conditions import CLIENT
from engine.cli.common import JsonOption, StateOption, asked, console, plain_table, print_json
from engine.journal.decided import priority_of, value
from engine.journal.events import Candidate, from_data
from engine.journal.spans import span
from engine.journal.timeline import MISSED, PASSED, Context, describe

_ORDERS = {
    "longest_idle": "the longest idle first",
    "least_occupied": "the least occupied first",
    "fewest_calls": "who had the fewest calls first",
    "most_proficient": "the most proficient first",
    "round_robin": "in turn",
    "random": "at random",
    "weighted": "at random, by weight",
    "linear": "in the order of agents.yaml",
}
_LIMITS = {"timed_out": "it has waited too long", "closed": "the queue closes"}


def explain(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="A call's id or an item's, or the beginning of it.")],
    state: StateOption = Path("var"),
    as_json: JsonOption = False,
) -> None:
    """Say why a call or an item waits, who may take it and who may not and why; and how each offer was decided."""
    answer = asked(state, f"/v1/explain/{quote(item, safe='')}")
    if as_json:
        print_json(answer)
        return
    page = _Page(answer["names"])
    console.print(answer["id"], style="bold")
    if answer["now"]:
        page.now(answer["now"])
        page.agents(answer["now"], answer["unmet"])
    elif answer["ended"]:
        console.print(f"ended: {page.said(answer['ended'])}")
    else:
        console.print("in no queue now")
    page.before(answer["path"], answer["offers"])
    if answer["fault"]:
        typer.secho(
            f"The database is away ({answer['fault']}): what was decided before is in it.", fg="yellow", err=True
        )


class _Page:
    def __init__(self, names: Mapping[str, str]) -> None:
        self._context = Context(names)

    def said(self, event: Mapping[str, Any]) -> str:
        """An event as a sentence."""
        return describe(from_data(event), self._context)

    def now(self, now: Mapping[str, Any]) -> None:
        """Where it stands, and its steps."""
        console.print(_state(now))
        console.print(_score(now))
        for line in _to_come(now):
            console.print(line)
        console.print()
        table = plain_table("", "from", "requires", "agents", "ready")
        for step in now["steps"]:
            mark = "now" if step["now"] else ""
            from_ = "at once" if not step["after_ms"] else f"after {span(step['after_ms'])}"
            members = f"{step['members']}{'' if step['staffed'] else ', none of them there'}"
            table.add_row(mark, from_, step["requirement"], members, str(step["ready"]))
        console.print(table)
        console.print(f"among the ready: {_ORDERS.get(now['order'], now['order'])}")

    def agents(self, now: Mapping[str, Any], unmet: Iterable[Mapping[str, Any]]) -> None:
        """Whoever is offered it or has it; and where it is not settled yet, everybody else of its line, then those who
        are not in it."""
        table = plain_table("agent", "", "why not")
        for offer in now["offers"]:
            table.add_row(self._context.agent(offer["agent"]), *_at_it(offer, now["talking_ms"]))
        settled = now["talking_ms"] >= 0
        offered = {offer["agent"] for offer in now["offers"]}
        for agent in now["agents"] if not settled else ():
            if agent["agent"] not in offered:
                idle = f"idle {span(agent['idle_ms'])}" if agent["idle_ms"] else ""
                table.add_row(
                    self._context.agent(agent["agent"]), idle, _why(agent["why"]) if agent["why"] else "could"
                )
        for agent in unmet if not settled else ():
            table.add_row(self._context.agent(agent["agent"]), "", _lacks(agent["lacks"]))
        console.print()
        console.print(table)

    def before(self, path: Iterable[Mapping[str, Any]], offers: Iterable[Mapping[str, Any]]) -> None:
        """What was decided, in its order: each offer with its candidates and whoever was passed over."""
        told = [(event["at"], self.said(event)) for event in path]
        told += [(offer["at"], self._offer(offer)) for offer in offers]
        if not told:
            return
        console.print()
        console.print("decided so far", style="bold")
        for at, text in sorted(told, key=lambda each: each[0]):
            moment = datetime.fromtimestamp(at / 1000).astimezone()
            console.print(f"{moment:%m-%d %H:%M:%S}  {text}", soft_wrap=True)

    def _offer(self, offer: Mapping[str, Any]) -> str:
        name = self._context.agent
        head = f"offer {offer['attempt']} to {name(offer['agent'])}, step {offer['step']}: {offer['requirement']}"
        outcome = f" → {_outcome(offer['outcome'])}" if offer["outcome"] else " → open"
        priority = priority_of(offer["head_start_ms"], offer["strict"], urgent=offer["urgent"])
        score = f"after {span(offer['wait_ms'])}{f' ({priority})' if priority else ''}"
        lines = [f"{head}; {score}, {_chosen_by(offer)}{outcome}"]
        considered = [f"{name(each['agent'])} {value(Candidate(**each))}".rstrip() for each in offer["candidates"]]
        passed = [f"{name(each['agent'])} {_why(each['why'])}" for each in offer["passed"]]
        lines += [f"considered: {'; '.join(considered)}"] if considered else []
        lines += [f"passed over: {'; '.join(passed)}"] if passed else []
        return f"\n{' ' * 16}".join(lines)


def _state(now: Mapping[str, Any]) -> str:
    what = f"{now['type']} ({now['kind']}) in {now['queue']}"
    match now["state"]:
        case "waiting":
            return f"{what}: waits at place {now['position']}, {span(_least(now['waited_ms']))} so far"
        case "offered":
            return f"{what}: is being offered, {span(_least(now['waited_ms']))} after it came"
        case "talking":
            waited = f"it waited {span(_least(now['waited_ms']))}"
            return f"{what}: at {now['offers'][0]['agent']}'s hand for {span(_least(now['talking_ms']))}; {waited}"
        case _:
            return f"{what}: put off for {span(_least(now['back_in_ms']))} more"


def _at_it(offer: Mapping[str, Any], talking_ms: int) -> tuple[str, str]:
    """How far an offer is, and since when."""
    if talking_ms >= 0:
        return "talking", f"for {span(talking_ms)}"
    if offer["ms"] < 0:
        return offer["state"], f"free in {span(-offer['ms'])}, after their wrap-up"
    return offer["state"], f"for {span(offer['ms'])}"


def _score(now: Mapping[str, Any]) -> str:
    strict = f", strictly before all of a lower level than {now['strict']}" if now["strict"] else ""
    urgent = "; it has waited as long as it may at the most: before everybody else" if now["urgent"] else ""
    waited, head = _least(now["waited_ms"]), now["head_start_ms"]
    return f"score: waited {span(waited)} + head start {span(head)} = {span(waited + head)}{strict}{urgent}"


def _to_come(now: Mapping[str, Any]) -> Iterable[str]:
    if now["next_step_in_ms"] >= 0:
        yield f"next step in {span(now['next_step_in_ms'])}"
    if now["limit_in_ms"] >= 0:
        yield f"leaves in {span(now['limit_in_ms'])}: {_LIMITS.get(now['limit_why'], now['limit_why'])}"
    if now["preferred"]:
        yield f"first choice: {now['preferred']}"


def _chosen_by(offer: Mapping[str, Any]) -> str:
    order: str = _ORDERS.get(offer["order"], offer["order"])
    match offer["by"]:
        case "preferred":
            return f"the preferred agent before {order}"
        case "prefer":
            return f"preference {offer['prefer']}, and of those {order}"
        case "free":
            return "they came free, and it was first in their lines"
        case "ahead":
            return f"ahead of the last {span(offer['free_in_ms'])} of their wrap-up"
        case "hand":
            return "by hand"
        case _:
            return order


def _lacks(conditions: Sequence[str]) -> str:
    others = [condition for condition in conditions if condition != CLIENT]
    parts = ["no program open"] if CLIENT in conditions else []
    return "; ".join([*parts, *([f"lacks {', '.join(others)}"] if others else [])])


def _why(code: str) -> str:
    return PASSED.get(code) or code.replace("_", " ")


def _outcome(code: str) -> str:
    return "accepted" if code == "accepted" else MISSED.get(code) or code.replace("_", " ")


def _least(ms: int) -> int:
    return max(ms, 0)
