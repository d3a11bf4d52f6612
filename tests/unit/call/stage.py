"""One real call, with stand-ins for Asterisk and the ACD that a test can take away."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from engine.acd import Missed, Offer, Placement
from engine.asterisk.ari import Ari, AriRefused
from engine.asterisk.channel import CallerLeg, Channel
from engine.call.inbound import InboundCall
from engine.call.record import CallRecord
from engine.call.switchboard import Switchboard
from engine.config.models import HotlineFile
from engine.config.queues import Queue
from engine.config.site import Site
from engine.identity.numbers import Caller
from engine.redis_line import LineDown

HOTLINE = HotlineFile.model_validate({"company": "x", "numbers": {"4008001234": {"flow": "main"}}})
SITE = cast(
    Site,
    SimpleNamespace(
        version="1",
        flows={},
        hotline=HOTLINE,
        queues={name: Queue(require="any") for name in ("sales", "later")},
        agents={},
    ),
)
CALLER = Caller(raw="1", number="+8613800138000", presentation="allowed", area="", carrier="")


class Line:
    """An ACD that knows one thing of each item: its queue. While Redis is away it hears nothing."""

    def __init__(self) -> None:
        self.away = False
        self.items: dict[str, str] = {}
        self.asked: list[str] = []
        self._changed = asyncio.Event()

    async def until(self, items: dict[str, str]) -> None:
        """Until that is what is in line."""
        async with asyncio.timeout(2):
            while self.items != items:
                self._changed.clear()
                await self._changed.wait()

    def _ask(self, what: str) -> None:
        if self.away:
            raise LineDown("gone")
        self.asked.append(what)
        self._changed.set()

    async def enqueue(self, item: str, *, queue: str, **_: Any) -> Placement:
        self._ask("enqueue")
        self.items.setdefault(item, queue)  # known, it changes nothing
        return Placement(1)

    async def withdraw(self, item: str, _: str, **__: Any) -> bool:
        self._ask("withdraw")
        return self.items.pop(item, None) is not None

    async def leave(self, _: str, **__: Any) -> bool:
        self._ask("leave")
        return False

    async def miss(self, _: str, __: Missed, **___: Any) -> bool:
        self._ask("miss")
        return True

    async def look_at(self, _: str) -> None:
        self._ask("look_at")


class Stage:
    """What a test sees of the call: what Asterisk was told, and what is in line."""

    def __init__(self, record: CallRecord) -> None:
        self.line = Line()
        self.told: list[tuple[str, str]] = []
        self._news = asyncio.Event()
        ari = cast(Ari, SimpleNamespace(send=self._send))
        leg = CallerLeg(ari, record.channel, "PJSIP/carrier-1", "Up", lambda name, _: name)
        leg.note_in_stasis()
        board = SimpleNamespace(
            acd=self.line,
            node=self,
            site=SITE,
            services=None,
            journal=SimpleNamespace(append=lambda _: None),
            records=SimpleNamespace(save=lambda _: None, save_now=lambda _: None),
        )
        self.call = InboundCall(cast(Switchboard, board), leg, record, CALLER)
        self.agent_leg = Channel(ari, "agent-1-1abc", state="Up")

    def _send(self, method: str, uri: str, *_: Any, **__: Any) -> asyncio.Future[None]:
        self._tell(method, uri)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def _tell(self, method: str, uri: str) -> None:
        self.told.append((method, uri))
        self._news.set()

    async def until_told(self, command: tuple[str, str]) -> None:
        """Until Asterisk has heard it."""
        async with asyncio.timeout(2):
            while command not in self.told:
                self._news.clear()
                await self._news.wait()

    def offer(self) -> Offer:
        """An agent for this call."""
        return Offer("1-1abc", self.call.item, "8001", "sales", 1)

    # The node.

    async def bridge(self, bridge: str, *channels: Channel) -> None:
        self._tell("POST", f"bridges/{bridge}")
        if any(channel.gone.done() or not channel.in_stasis for channel in channels):
            raise AriRefused(422, "POST addChannel", "Channel not in Stasis application")

    async def unbridge(self, bridge: str) -> None:
        self._tell("DELETE", f"bridges/{bridge}")
