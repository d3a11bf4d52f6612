"""A flow: named steps, read from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise

from pydantic import Field

from engine.config.units import Written
from engine.flow.steps import AnyStep, Next, Step
from engine.flow.steps.base import Target


class Flow(Written):
    """dialplan/flows/NAME.yaml. The first step is where a call begins; a step without a target goes on to
    the one below it."""

    steps: dict[str, AnyStep] = Field(min_length=1)

    @property
    def first(self) -> str:
        """Where a call begins."""
        return next(iter(self.steps))

    @cached_property
    def _below(self) -> dict[str, str]:
        names = list(self.steps)
        return dict(pairwise(names))

    def after(self, step: str, result: Next) -> str | None:
        """The step that follows; None at the end of the file."""
        return result.step or self._below.get(step)

    def wrong_targets(self) -> Iterator[Target]:
        """Every target that is not a step of this flow, with the path to where it is written."""
        for name, step in self.steps.items():
            for where, target in step.targets():
                if target not in self.steps:
                    yield ("steps", name, *where), target

    def __iter__(self) -> Iterator[tuple[str, Step]]:  # type: ignore[override]  # a flow is its steps
        yield from self.steps.items()
