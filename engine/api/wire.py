"""What the parts of the API share: bodies that are read, answers that are written, names that are known."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from engine.config.source import nearest

Said = TypeVar("Said", bound="Signed")
By = Annotated[str, StringConstraints(max_length=64)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Signed(BaseModel):
    """What a request says, and who says it."""

    model_config = ConfigDict(extra="forbid")
    by: By = "supervisor"


async def read(request: web.Request, kind: type[Said]) -> Said:
    """The request's body; without one, its defaults. Raises 422 with everything that is wrong."""
    try:
        return kind.model_validate_json(await request.read() or b"{}")
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        faults = (f"{'.'.join(map(str, fault['loc'])) or 'the body'}: {fault['msg']}" for fault in found)
        raise web.HTTPUnprocessableEntity(text="; ".join(faults)) from None


def number(request: web.Request, name: str, default: float, *, most: float) -> float:
    """A number in the query, between 0 and `most`. Raises 422."""
    text = request.query.get(name)
    try:
        return min(max(float(text), 0.0), most) if text is not None else default
    except ValueError:
        raise web.HTTPUnprocessableEntity(text=f"{name}: {text!r} is no number") from None


def known(what: str, name: str, names: Collection[str]) -> str:
    """The name, if there is one of it; else 404 with the one that was meant, or what there is."""
    if name not in names:
        raise web.HTTPNotFound(text=f"no {what} {name}{nearest(name, names)}")
    return name


def answer(data: Any, *, status: int = 200) -> web.Response:
    """JSON."""
    return web.Response(body=orjson.dumps(data), content_type="application/json", status=status)
