"""Values that admins write with their units."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")


def seconds(value: Any) -> float:
    """`20s`, `500ms`, `10m`, `1h` or a plain number of seconds. Raises ValueError otherwise."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"{value!r} is not a duration; write it as 20s, 500ms or 10m")
    return float(match[1]) * _UNITS[match[2]]


Seconds = Annotated[float, BeforeValidator(seconds)]


class Written(BaseModel):
    """Base of everything an admin writes: unknown keys are faults, not surprises; nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True)
