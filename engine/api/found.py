"""What is meant by an id, or by the beginning of one: a call, a callback, or an item that is neither."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from aiohttp import web

from engine.store.database import AmbiguousId, DatabaseDown

if TYPE_CHECKING:
    from engine.app import Engine

_REMEDY = "; `hotline calls` and `hotline items` list what there is"


def live(of: Engine, wanted: str) -> str:
    """The id of a call or an item that has not ended. Raises 404, AmbiguousId."""
    found = _going_on(of, wanted)
    if not found:
        raise web.HTTPNotFound(text=f"no call or item {wanted} is there now{_REMEDY}")
    return _only(wanted, found)


async def ever(of: Engine, wanted: str) -> tuple[str, str]:
    """The id of a call or an item, ended or not, and why the database could not be asked. Raises 404, AmbiguousId,
    DatabaseDown when nobody else knows it."""
    now = _going_on(of, wanted)
    try:
        then = await of.database.ids(wanted)
    except DatabaseDown as error:
        if not now:
            raise
        return _only(wanted, now), str(error)
    if not now and not then:
        raise web.HTTPNotFound(text=f"no call or item {wanted}{_REMEDY}")
    return _only(wanted, {*now, *then}), ""


def _going_on(of: Engine, wanted: str) -> list[str]:
    if wanted in of.calls or wanted in of.items or wanted in of.callbacks:
        return [wanted]
    ids = [record.id for record in of.calls.records()]
    ids += [*(item.id for item in of.items.items()), *of.callbacks.items()]
    return [each for each in ids if each.startswith(wanted)]


def _only(wanted: str, found: Collection[str]) -> str:
    if wanted in found:
        return wanted
    if len(found) > 1:
        raise AmbiguousId(
            f"several ids begin with {wanted}, such as {' and '.join(sorted(found)[:2])}: type more of it"
        )
    (only,) = found
    return only
