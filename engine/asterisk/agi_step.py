"""One step of a flow, run for the dialplan: its settings are the script's arguments, its results channel variables.

HOTLINE_OUTCOME: how it ended, one of the outcomes that the step has in a flow. HOTLINE_STEP: where its flow would go
on, when the step is one of a flow. Every variable that it gave a value: `order` as HOTLINE_ORDER, `customer.tier` as
HOTLINE_CUSTOMER_TIER. A step that uses such a variable finds it there again, and may find the dialplan's own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from engine.asterisk.agi_session import Session
from engine.flow.arguments import NAME, Reader, names, step_from, variable
from engine.flow.expression import Value, as_text
from engine.flow.steps import Next, Step
from engine.flow.visit import Visit, caller_facts
from engine.journal.events import Event

OUTCOME = "HOTLINE_OUTCOME"
STEP = "HOTLINE_STEP"

_WORD = re.compile(r"\w*")


async def perform(
    session: Session, kind: str, *, default: str = "", readers: Mapping[str, Reader] | None = None, **fixed: Any
) -> Next:
    """Runs the step and sets the variables. `default`: the first argument if there is none. `fixed`: settings that
    hold whatever is written. Raises BadArguments, HungUp, AgiError."""
    arguments = session.arguments or (default,)
    step = step_from(kind, arguments, session.rooms.site.flows, readers).model_copy(update=fixed)
    visit = await _visit(session, step)
    before = dict(visit.variables)
    if not step.silent:
        await visit.answered()
    result = await step.run(visit)
    if not isinstance(result, Next):
        raise TypeError(f"a `{kind}` that leaves the flow ({result}) is not a script's to follow")
    for name, value in visit.variables.items():
        if before.get(name) != value and NAME.fullmatch(name):
            await session.set_variable(variable(name), as_text(value))
    await session.set_variable(STEP, result.step or "")
    await session.set_variable(OUTCOME, _WORD.findall(result.outcome)[0])
    return result


async def _visit(session: Session, step: Step) -> Visit:
    def note(kind: type[Event], /, **payload: Any) -> None:
        session.rooms.append(kind(session.call_id, time.time_ns() // 1_000_000, **payload))

    facts = caller_facts(session.caller, dialled=session.dialled)
    wanted = sorted(names(step) - {*facts, "language"})
    values = await session.get_variables([variable(name) for name in wanted])
    known: dict[str, Value] = {name: value for name, value in zip(wanted, values, strict=True) if value}
    return Visit(
        leg=session,
        site=session.rooms.site,
        services=session.rooms.services,
        note=note,
        caller=session.caller,
        call_id=session.call_id,
        dialled=session.dialled,
        variables={**facts, **known},
    )
