"""One step of a flow, run for the dialplan on the leg of an AGI session."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from engine.asterisk.agi_session import Session
from engine.asterisk.dialplan import ERRAND_CALL, Reader, names, results, step_from, variable
from engine.flow.steps import Next, Step
from engine.flow.visit import Visit, caller_facts
from engine.journal.events import Event


async def perform(
    session: Session, kind: str, *, default: str = "", readers: Mapping[str, Reader] | None = None, **fixed: Any
) -> Next:
    """Runs the step that the script's arguments are, and sets the variables that say how it ended.

    `default`: the first argument if there is none. `fixed`: settings that hold whatever is written. Raises
    BadArguments, HungUp, AgiError.
    """
    arguments = session.arguments or (default,)
    step = step_from(kind, arguments, session.rooms.site, readers).model_copy(update=fixed)
    visit = await _visit(session, step)
    before = dict(visit.variables)
    if not step.silent:
        await visit.answered()
    result = await step.run(visit)
    if not isinstance(result, Next):
        raise TypeError(f"a `{kind}` that leaves the flow ({result}) is not a script's to follow")
    for name, value in results(result, before, visit.variables).items():
        await session.set_variable(name, value)
    return result


async def _visit(session: Session, step: Step) -> Visit:
    facts = caller_facts(session.caller, dialled=session.dialled)
    wanted = sorted(names(step) - {*facts, "language"})
    errand, *values = await session.get_variables([ERRAND_CALL, *(variable(name) for name in wanted)])
    call_id = errand or session.call_id

    def note(kind: type[Event], /, **payload: Any) -> None:
        session.rooms.append(kind(call_id, time.time_ns() // 1_000_000, **payload))

    return Visit(
        leg=session,
        site=session.rooms.site,
        services=session.rooms.services,
        note=note,
        caller=session.caller,
        call_id=call_id,
        dialled=session.dialled,
        variables={**facts, **{name: value for name, value in zip(wanted, values, strict=True) if value}},
    )
