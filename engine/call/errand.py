"""A caller whom hand-written dialplan lends to the engine for one step: Stasis(hotline,queue,sales)."""

from __future__ import annotations

import structlog

from engine.asterisk.ari import AriError, AriRefused
from engine.asterisk.dialplan import ERRAND_CALL, BadArguments, inert, names, results, step_from, variable
from engine.call.conversation import Conversation
from engine.call.inbound import InboundCall
from engine.flow.leg import HungUp
from engine.flow.steps import Ended, Next, Step
from engine.flow.steps.base import Away
from engine.flow.visit import Visit
from engine.journal.events import IvrNodeEntered, IvrNodeExited
from engine.store.rows import EndReason

log = structlog.get_logger()

# Where the step of an errand is, in the call's path and events: in no flow.
DIALPLAN = "dialplan"
FAILED = Next(None, "error")


class Errand(InboundCall):
    """One step: the record's `errand` is what the dialplan has written behind `Stasis(hotline,`."""

    async def _serve(self, conversation: Conversation | None) -> EndReason:
        """Through the step, away to somebody, and back to the dialplan."""
        visit = self._visit()
        before = dict(visit.variables)
        result: Away | Ended | Next = self.record.away or await self._begin(visit)
        if isinstance(result, Away):
            self.record.away = result
            outcome = await self._away(result, conversation)
            result = result.back(outcome)
            await self._return_to_flow()
        if isinstance(result, Ended):
            return await self._hang_up(self._reason(result.reason), result.cause)
        self.note(IvrNodeExited, flow=self.record.flow, step=self.record.step, outcome=result.outcome)
        return await self._go_on(results(result, before, visit.variables))

    async def _begin(self, visit: Visit) -> Away | Ended | Next:
        kind, *arguments = self.record.errand
        try:
            step = step_from(kind, arguments, self.site)
        except BadArguments as error:
            # The admin's mistake: its sentence, no traceback.
            log.error("errand.bad_arguments", call=self.record.id, step=kind, error=str(error))  # noqa: TRY400
            return FAILED
        self._enter_step(kind, arguments)
        await self._read(step, visit)
        if not step.silent:
            await visit.answered()
        result = await step.run(visit)
        return result if isinstance(result, Away | Ended | Next) else FAILED

    def _enter_step(self, kind: str, arguments: list[str]) -> None:
        place = arguments[0] if arguments else ""
        flow, named, step = place.partition("/")
        self.record.flow, self.record.step = (flow, step) if named else (DIALPLAN, kind)
        self.record.flow_path.append(f"{self.record.flow}/{self.record.step}")
        self.note(IvrNodeEntered, flow=self.record.flow, step=self.record.step, kind=kind)
        self.save()

    async def _read(self, step: Step, visit: Visit) -> None:
        """What the dialplan knows already of what the step may look at."""
        wanted = sorted(names(step) - {*visit.variables, "language"})
        uri = f"channels/{self.leg.id}/variable"
        asked = [(name, self.leg.ari.send("GET", uri, {"variable": variable(name)})) for name in wanted]
        for name, answer in asked:
            try:
                visit.variables[name] = (await answer)["value"]
            except AriRefused as refused:
                if refused.status != 404:  # it was never set
                    raise HungUp from refused
        self.save()

    async def _go_on(self, variables: dict[str, str]) -> EndReason:
        for name, value in {ERRAND_CALL: self.record.id, **variables}.items():
            await self.leg.command("POST", "/variable", variable=name, value=inert(value))
        self.closing = EndReason.RETURNED
        await self.board.node.go_on(self.leg)
        return EndReason.RETURNED

    async def _rescue(self) -> EndReason:
        """We could not do it; the dialplan still has the caller."""
        try:
            return await self._go_on({"HOTLINE_STEP": "", "HOTLINE_OUTCOME": FAILED.outcome})
        except HungUp:
            return self._reason_of_hangup()
        except AriError:
            self.leg.drop()
            return EndReason.SYSTEM_FAILURE
