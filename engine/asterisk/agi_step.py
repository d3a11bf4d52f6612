"""One step of a flow, run for the dialplan on the leg of an AGI session."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.asterisk.agi_session import Session
from engine.asterisk.dialplan import ERRAND_CALL, Reader, names, results, step_from, variable
from engine.flow.expression import Value
from engine.flow.services import Identity
from engine.flow.steps import Next, Step
from engine.flow.visit import Visit, caller_facts
from engine.identity.endpoint import Answer
from engine.journal.events import Event


class Undirected:
    """The identity endpoint for callers whose way is the dialplan's: what a `route` claims for them in queues holds,
    and where it would send them is told, as HOTLINE_ROUTE_ACTION and HOTLINE_ROUTE_TARGET."""

    def __init__(self, identity: Identity, variables: dict[str, Value]) -> None:
        self._identity, self._variables = identity, variables

    async def look_up(self, *about: Any, **more: Any) -> Answer:
        """As the endpoint answers, but for the `action`."""
        answer = await self._identity.look_up(*about, **more)
        self._variables |= {"route.action": "", "route.target": ""}
        if answer.route is None or answer.route.action is None:
            return answer
        self._variables |= {"route.action": answer.route.action, "route.target": answer.route.target}
        return replace(answer, route=answer.route.model_copy(update={"action": None}))


async def perform(
    session: Session, kind: str, *, default: str = "", readers: Mapping[str, Reader] | None = None
) -> Next:
    """Runs the step that the script's arguments are, and sets the variables that say how it ended. `default`: the
    first argument if there is none. Raises BadArguments, HungUp, AgiError."""
    step = step_from(kind, session.arguments or (default,), session.rooms.site, readers)
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

    variables: dict[str, Value] = {
        **facts,
        **{name: value for name, value in zip(wanted, values, strict=True) if value},
    }
    services = session.rooms.services
    return Visit(
        leg=session,
        site=session.rooms.site,
        services=replace(services, identity=Undirected(services.identity, variables)),
        note=note,
        caller=session.caller,
        call_id=call_id,
        dialled=session.dialled,
        variables=variables,
    )
