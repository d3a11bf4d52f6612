"""The steps a flow is made of, one file each."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from engine.flow.steps.base import HangUp as Ended
from engine.flow.steps.base import Next, Outcome, Step, ToQueue, Visit
from engine.flow.steps.hang_up import HangUp
from engine.flow.steps.look_up import LookUp
from engine.flow.steps.menu import Menu
from engine.flow.steps.play import Play
from engine.flow.steps.queue import Queue

KINDS = ("play", "look_up", "menu", "queue", "hang_up")


def _kind(step: Any) -> str | None:
    if isinstance(step, dict):
        return next((kind for kind in KINDS if kind in step), None)
    return getattr(step, "kind", None)


AnyStep = Annotated[
    Annotated[Play, Tag("play")]
    | Annotated[LookUp, Tag("look_up")]
    | Annotated[Menu, Tag("menu")]
    | Annotated[Queue, Tag("queue")]
    | Annotated[HangUp, Tag("hang_up")],
    Discriminator(
        _kind,
        custom_error_type="unknown_step",
        custom_error_message=f"a step needs one of these keys: {', '.join(KINDS)}",
    ),
]

__all__ = ["AnyStep", "Ended", "Next", "Outcome", "Step", "ToQueue", "Visit"]
