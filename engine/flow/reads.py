"""The variables that a step looks at, found in whatever expressions and templates are written in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from engine.flow.steps.base import Step

Place = tuple[str, ...]


def reads(step: Step) -> set[str]:
    """Their names."""
    return {name for _, name in places(step)}


def places(step: Step) -> Iterator[tuple[Place, str]]:
    """Each name with where in the step it stands, by the keys of the file."""
    yield from _in_model(step, ())


def _in_model(model: BaseModel, at: Place) -> Iterator[tuple[Place, str]]:
    for field, value in model:
        yield from _in(value, (*at, type(model).model_fields[field].alias or field))


def _in(value: Any, at: Place) -> Iterator[tuple[Place, str]]:
    names = getattr(value, "names", None)
    if isinstance(names, set | frozenset):
        yield from ((at, name) for name in sorted(names))
    elif isinstance(value, BaseModel):
        yield from _in_model(value, at)
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _in(one, (*at, str(key)))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _in(one, at)
