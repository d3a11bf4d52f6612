"""A flow: named steps, read from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import Annotated

from pydantic import Field, StringConstraints

from engine.config.units import Written
from engine.flow.steps import AnyStep, Step

StepName = Annotated[str, StringConstraints(pattern=r"^[^\s/]{1,60}$")]


class Flow(Written):
    """dialplan/flows/NAME.yaml. The first step is where a call begins; a step without a target goes on to
    the one below it."""

    steps: dict[StepName, AnyStep] = Field(min_length=1)

    @property
    def first(self) -> str:
        """Where a call begins."""
        return next(iter(self.steps))

    @cached_property
    def _below(self) -> dict[str, str]:
        names = list(self.steps)
        return dict(pairwise(names))

    def below(self, step: str) -> str | None:
        """The next step in the file; None at its end."""
        return self._below.get(step)

    def __iter__(self) -> Iterator[tuple[str, Step]]:  # type: ignore[override]  # a flow is its steps
        yield from self.steps.items()
