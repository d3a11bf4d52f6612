"""The API's part for operators: hours, lists of callers, announcements. What is decided here the next caller meets."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from engine.config.site import Site
from engine.config.source import nearest
from engine.flow.steps.announcement import Announcement
from engine.hours import Calendar, Closed, Open
from engine.orders.lists import Reason, pattern
from engine.sounds import LANGUAGES, UnknownPrompt
from engine.store.database import DatabaseDown
from engine.store.order_rows import AnnouncementOrder, HoursOrder, ListEntry

if TYPE_CHECKING:
    from engine.app import Engine
    from engine.orders.keeper import OrderKeeper

# All of them are in the memory of every engine.
MOST_ENTRIES = 100_000
LONGEST_S = 10 * 366 * 86_400.0

Handler = Callable[[web.Request], Awaitable[web.Response]]
Body = TypeVar("Body", bound="_Body")


class _Body(BaseModel):
    """Who orders it, and for how many seconds it counts (None: until withdrawn)."""

    model_config = ConfigDict(extra="forbid")
    by: Annotated[str, StringConstraints(max_length=64)] = ""
    for_s: Annotated[float, Field(gt=0, le=LONGEST_S)] | None = None

    def signed(self) -> dict[str, Any]:
        """What every order carries."""
        now_ms = time.time_ns() // 1_000_000
        until_ms = None if self.for_s is None else now_ms + round(self.for_s * 1000)
        return {"until_ms": until_ms, "ordered_by": self.by, "ordered_ms": now_ms}


class _Hours(_Body):
    state: Literal["open", "closed", "follow"]
    say: str = ""


class _Announce(_Body):
    on: bool
    say: str = ""


class _Entry(_Body):
    number: str
    reason: Reason = ""


def order_routes(of: Engine) -> Iterable[web.RouteDef]:
    """Where hours, lists and announcements are asked for and ordered."""
    desk = _Desk(of)
    return [
        web.get("/v1/hours", desk.hours),
        web.post("/v1/hours/{calendar}", _said(desk.force)),
        web.get("/v1/lists", desk.lists),
        web.get("/v1/lists/{list}", desk.listed),
        web.post("/v1/lists/{list}", _said(desk.add)),
        web.post("/v1/lists/{list}/remove", _said(desk.remove)),
        web.get("/v1/announcements", desk.announcements),
        web.post("/v1/announcements/{name}", _said(desk.announce)),
    ]


class _Desk:
    def __init__(self, of: Engine) -> None:
        self._engine = of

    @property
    def _site(self) -> Site:
        return self._engine.board.site

    @property
    def _keeper(self) -> OrderKeeper:
        return self._engine.orders

    def _answer(self, **data: Any) -> web.Response:
        """`fault`: why what is said here may be old; "" when it is not."""
        return _json({"fault": self._keeper.fault, **data})

    async def hours(self, _: web.Request) -> web.Response:
        """Every calendar: what it is now, until when, and who says so."""
        return self._answer(calendars=[self._hours_of(calendar) for calendar in self._site.calendars.values()])

    def _hours_of(self, calendar: Calendar) -> dict[str, Any]:
        now, standing = _now(), self._keeper.standing
        state, order = standing.state(calendar, now), standing.hours(calendar.name, now)
        changes = calendar.next_change(now)
        changes_ms = (order.until_ms if order else None) if order else (changes and round(changes.timestamp() * 1000))
        return {
            "calendar": calendar.name,
            "zone": calendar.settings.zone,
            "open": isinstance(state, Open),
            "why": state.why if isinstance(state, Closed) else "",
            "name": state.name if isinstance(state, Closed) else "",
            "changes_ms": changes_ms,
            "order": asdict(order) if order else None,
        }

    async def force(self, request: web.Request) -> web.Response:
        """Body: {"state": "open" | "closed" | "follow", "for_s": 7200, "say": "closed-forced", "by": "li"}."""
        calendar = self._known("calendar", request, self._site.calendars, "dialplan/calendars.yaml")
        body = await _body(request, _Hours)
        if body.state == "follow":
            await self._keeper.withdraw(HoursOrder, by=body.by, calendar=calendar)
        else:
            self._check_prompt(body.say)
            is_open = body.state == "open"
            await self._keeper.put(HoursOrder(calendar=calendar, is_open=is_open, say=body.say, **body.signed()))
        return _json(self._hours_of(self._site.calendars[calendar]))

    async def lists(self, _: web.Request) -> web.Response:
        """Every list, and how many stand on it."""
        rows = []
        for name, each in self._site.lists.items():
            entries = self._entries(name)
            written = sum(row["written"] for row in entries)
            rows.append({"list": name, "tier": each.tier, "written": written, "added": len(entries) - written})
        return self._answer(lists=rows)

    async def listed(self, request: web.Request) -> web.Response:
        """Who is on a list now, and why."""
        name = self._known("list", request, self._site.lists, "dialplan/lists.yaml")
        return self._answer(list=name, tier=self._site.lists[name].tier, entries=self._entries(name))

    def _entries(self, name: str) -> list[dict[str, Any]]:
        now_ms = time.time_ns() // 1_000_000
        added = {entry.number: entry for entry in self._keeper.standing.all.entries if entry.list == name}
        written = [entry for entry in self._site.lists[name].numbers if entry.number not in added]
        return [
            {**asdict(entry), "written": entry.number not in added}
            for entry in sorted([*added.values(), *written], key=lambda entry: entry.number)
            if entry.counts(now_ms)
        ]

    async def add(self, request: web.Request) -> web.Response:
        """Body: {"number": "13900000000", "reason": "…", "for_s": 2592000, "by": "li"}."""
        name = self._known("list", request, self._site.lists, "dialplan/lists.yaml")
        body = await _body(request, _Entry)
        number = pattern(body.number, area_code=self._site.hotline.area_code)
        if len(self._keeper.standing.all.entries) >= MOST_ENTRIES:
            raise web.HTTPConflict(text=f"{MOST_ENTRIES} numbers are on lists; remove some before you add more")
        entry = ListEntry(list=name, number=number, reason=body.reason, **body.signed())
        await self._keeper.put(entry)
        return _json(asdict(entry))

    async def remove(self, request: web.Request) -> web.Response:
        """Body: {"number": "13900000000", "by": "li"}."""
        name = self._known("list", request, self._site.lists, "dialplan/lists.yaml")
        body = await _body(request, _Entry)
        number = pattern(body.number, area_code=self._site.hotline.area_code)
        if await self._keeper.withdraw(ListEntry, by=body.by, list=name, number=number):
            return _json({"list": name, "number": number})
        if any(entry.number == number for entry in self._site.lists[name].numbers):
            raise web.HTTPConflict(text=f"{number} stands in dialplan/lists.yaml; remove it there")
        raise web.HTTPNotFound(text=f"{number} is not on the list {name}; `hotline lists show {name}` has who is")

    async def announcements(self, _: web.Request) -> web.Response:
        """Every announcement that a flow may play, whether it is on, and its words."""
        site, now = self._site, _now()
        rows = []
        for name in self._announced():
            order = self._keeper.standing.announcement(name, now)
            prompt = order.say if order and order.say else name
            words = {language: site.spoken(prompt, language) for language in LANGUAGES}
            rows.append({"announcement": name, "words": words, "order": asdict(order) if order else None})
        return self._answer(announcements=rows)

    def _announced(self) -> list[str]:
        steps = (step for flow in self._site.flows.values() for _, step in flow)
        return list(dict.fromkeys(step.announcement for step in steps if isinstance(step, Announcement)))

    async def announce(self, request: web.Request) -> web.Response:
        """Body: {"on": true, "for_s": 14400, "say": "another-prompt", "by": "li"}."""
        name = self._known("announcement", request, self._announced(), "dialplan/flows", key="name")
        body = await _body(request, _Announce)
        if body.on:
            self._check_prompt(body.say)
            await self._keeper.put(AnnouncementOrder(name=name, say=body.say, **body.signed()))
        else:
            await self._keeper.withdraw(AnnouncementOrder, by=body.by, name=name)
        return _json({"announcement": name, "on": body.on})

    def _known(self, what: str, request: web.Request, known: Iterable[str], where: str, *, key: str = "") -> str:
        """The name in the path; a name that there is none of would be an order that nobody ever meets."""
        name, names = request.match_info[key or what], list(known)
        if name not in names:
            raise web.HTTPNotFound(text=f"no {what} {name} in {where}{nearest(name, names)}")
        return name

    def _check_prompt(self, prompt: str) -> None:
        """Raises ValueError for one that callers could not hear."""
        for language in LANGUAGES if prompt else ():
            try:
                self._site.sound(prompt, language)
            except UnknownPrompt as error:
                raise ValueError(str(error)) from error
        if prompt.startswith("/"):
            raise ValueError(f"{prompt} is a file; name a prompt, `hotline prompts --all` lists them")


def _said(handler: Handler) -> Handler:
    """An order that could not be kept says that nothing has changed."""

    async def handle(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except DatabaseDown as error:
            text = f"the database is away ({error}): nothing has changed, and what was ordered before goes on to count"
            raise web.HTTPServiceUnavailable(text=text) from error

    return handle


async def _body(request: web.Request, kind: type[Body]) -> Body:
    try:
        return kind.model_validate_json(await request.read())
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}") from None


def _now() -> datetime:
    return datetime.now().astimezone()


def _json(data: Any) -> web.Response:
    return web.Response(body=orjson.dumps(data), content_type="application/json")
