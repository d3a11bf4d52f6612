"""What a step sees of its call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from engine.flow.expression import Expression, Template, Value
from engine.flow.leg import ANY_KEY, Leg
from engine.flow.services import Services
from engine.identity.numbers import Caller
from engine.journal.events import IvrPlayed
from engine.sounds import LANGUAGES

if TYPE_CHECKING:
    from engine.config.site import Site

Note = Callable[..., None]

# Values that a caller or an endpoint gave are kept in the call's record and its events: of bounded length.
LONGEST_VALUE = 1024

# The hotline's own variables that have no dot in their names.
_PLAIN_FACTS = frozenset({"dialled", "trunk"})


def now() -> datetime:
    """The wall clock, aware of its zone."""
    return datetime.now().astimezone()


@dataclass(slots=True)
class Visit:
    """A call on its way through the flows, as its steps see it. The call owns it; a step keeps nothing of its own.

    `variables`: the call's own. Names with a dot are the hotline's (`caller.number`, `customer.tier`), and so are
    `dialled` and `trunk`; the others are the admin's; `language` is the leg's. `note` writes an event of this call
    into the journal. `placed_ms`: since when the caller counts as waiting, None if they have been in no queue.
    """

    leg: Leg
    site: Site
    services: Services
    note: Note
    caller: Caller
    call_id: str = ""
    dialled: str = ""
    variables: dict[str, Value] = field(default_factory=dict)
    answer: Callable[[], Awaitable[None]] | None = None
    now: Callable[[], datetime] = now
    placed_ms: Callable[[], int | None] = lambda: None

    async def answered(self) -> None:
        """Takes the call, unless it is taken: before the first step that speaks or waits. Raises HungUp."""
        await (self.answer or self.leg.answer)()

    async def say(self, prompts: Sequence[str], *, stops: str = ANY_KEY) -> bool:
        """Plays prompts and notes what the caller heard; False when a key cut it short. Raises HungUp."""
        if not prompts:
            return True
        await self.answered()
        return await speak(self.leg, self.site, self.note, prompts, stops=stops)

    def set(self, name: str, value: Value) -> None:
        """Keeps a value; a language that nobody speaks here leaves the one there was."""
        if name == "language":
            if value in LANGUAGES:
                self.leg.language = str(value)
            return
        self.variables[name] = value[:LONGEST_VALUE] if isinstance(value, str) else value

    def values(self) -> Mapping[str, Value]:
        """What expressions calculate with."""
        return {**self.variables, "language": self.leg.language}

    def text(self, template: Template) -> str:
        """A template filled with the call's values. Raises ExpressionError."""
        return template.text if template.fixed else template.of(self.values())

    def holds(self, expression: Expression) -> bool:
        """Whether an expression is true of the call. Raises ExpressionError."""
        return expression.holds(self.values())

    def own_values(self) -> dict[str, Value]:
        """What the admin's steps have set: what an endpoint is told."""
        return {n: value for n, value in self.variables.items() if "." not in n and n not in _PLAIN_FACTS}


async def speak(leg: Leg, site: Site, note: Note, prompts: Sequence[str], *, stops: str = ANY_KEY) -> bool:
    """Plays prompts on a leg and notes their words; False when a key cut them short. Raises HungUp."""
    texts = tuple(site.spoken(prompt, leg.language) for prompt in prompts)
    note(IvrPlayed, prompts=tuple(prompts), texts=texts, language=leg.language)
    return await leg.play(prompts, stops=stops)


def caller_facts(caller: Caller, *, dialled: str, trunk: str = "") -> dict[str, Value]:
    """The variables that every call begins with."""
    return {
        "caller.number": caller.number,
        "caller.presentation": caller.presentation,
        "caller.area": caller.area,
        "caller.carrier": caller.carrier,
        "dialled": dialled,
        "trunk": trunk,
    }
