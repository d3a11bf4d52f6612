"""Puts the rooms together: one engine process, from its start to its end."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import structlog

import engine
from engine import fittings
from engine.acd import Acd, Device, Intent, Notice, Said
from engine.api.server import Api
from engine.asterisk import agi_scripts
from engine.asterisk.agi_session import Rooms
from engine.asterisk.ami import tend_phones
from engine.asterisk.fastagi import FastAgi
from engine.asterisk.node import Arrival, Node
from engine.asterisk.provisioning import provision
from engine.call.callbacks import Callbacks
from engine.call.calls import Calls
from engine.call.last_agent import LastAgents
from engine.call.phones import Phones
from engine.call.record import CallRecord, Records, now_ms
from engine.call.recovery import Recovery
from engine.call.switchboard import Switchboard
from engine.callbacks import is_callback
from engine.chores import Chores
from engine.config import policies
from engine.config.site import Site
from engine.flow.services import Services
from engine.host.state import State
from engine.http.self_service import SelfService
from engine.identity.attempts import Attempts
from engine.identity.numbers import prepare
from engine.items import Board, is_item, policies_of
from engine.journal.events import EngineStarted, EngineStopped
from engine.journal.journal import Journal
from engine.journal.ledger import Ledger
from engine.loop_lag import LoopLag
from engine.messages import Courier, Outbox
from engine.orders.keeper import OrderKeeper
from engine.rebuilding import Rebuilding
from engine.redis_line import RedisLine, surely
from engine.reload import Reloading
from engine.store.database import Database, DatabaseDown
from engine.store.last_said import LastSaid, read_last_said
from engine.voicemail import Mailboxes

log = structlog.get_logger()

ASTERISK_ANSWERS_S = 60.0
LEDGER_DRAINS_S = 10.0
# A call makes some thousand short-lived objects and no cycles: looking for garbage every 700 finds none.
GC_THRESHOLDS = (20_000, 20, 50)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where an engine finds what it works with."""

    state: State
    redis_url: str
    database_url: str
    ari_url: str
    ari_user: str
    ari_password: str
    ami_port: int | None
    ami_secret: str
    drain_s: float
    name: str = "main"
    rest_over_websocket: bool = True
    agi_port: int | None = None


class Engine:
    """One engine. `run` opens the rooms in order, serves until told to stop, and closes them in reverse."""

    def __init__(self, site: Site, settings: Settings) -> None:
        self.settings = settings
        self._stop = asyncio.Event()
        self.chores = Chores("engine")
        self.line = RedisLine(settings.redis_url, on_back=self._redis_back)
        self.journal = Journal(self.line)
        self.database = Database(settings.database_url)
        self.ledger = Ledger(settings.redis_url, self.database, consumer=settings.name)
        self.acd = Acd(self.line, engine=settings.name, on_notice=self._noticed, on_emptied=self._redis_emptied)
        self.phones = Phones(self.acd)
        self.node = Node(
            settings.ari_url,
            settings.ari_user,
            settings.ari_password,
            sound=site.sound,
            recordings=settings.state.recordings,
            on_arrival=self._arrived,
            on_device=self.phones.device,
            on_strangers=self._strangers,
            on_restart=self._restarted,
            over_websocket=settings.rest_over_websocket,
        )
        self.records = Records(self.line, settings.name)
        self.identity = fittings.identity(site, settings.state)
        self.self_service = SelfService(fittings.shared_secret(site, settings.state))
        self.mailboxes = Mailboxes(
            settings.state.recordings / "voicemail",
            self.database,
            keep_s=site.hotline.voicemail.keep,
            note=self.journal.append,
            is_active=lambda call: call in self.calls,
        )
        self.outbox = Outbox(self.line)
        self.courier = Courier(self.outbox, fittings.messages(site, settings.state), self.journal.append)
        self.orders = OrderKeeper(self.database, self.line, on_hours=self._hours_changed)
        self.services = Services(
            identity=self.identity,
            voicemail=self.mailboxes,
            messages=self.courier,
            orders=self.orders.standing,
            attempts=Attempts(self.line, fittings.shared_secret(site, settings.state)),
            http=self.self_service,
        )
        last_agents = LastAgents(self.line)
        self.board = Switchboard(
            self.node, self.acd, self.phones, self.journal, self.records, last_agents, self.services, site
        )
        self.calls = Calls(self.board)
        self.callbacks = Callbacks(self.board, self.calls, self.database)
        self.board.callbacks = self.services.callbacks = self.callbacks
        self.items = Board(
            self.acd,
            self.line,
            engine=settings.name,
            note=self.journal.append,
            site=lambda: self.board.site,
            orders=self.orders.standing,
        )
        self.recovery = Recovery(self.calls, self.node, self.acd, self.items, self.callbacks)
        self.rebuilding = Rebuilding(
            self.acd, self.phones, (self.calls, self.callbacks, self.items), staff=self._staff_again, said=self._said
        )
        self.lag = LoopLag()
        self.agi: FastAgi | None = None
        self.reloading = Reloading(self)
        self._left_behind: list[CallRecord] | None = None
        self.ready = False

    async def run(self) -> None:
        """Raises LineDown, BadDatabase or AriError when what the engine needs is not there."""
        loop = asyncio.get_running_loop()
        for signal_ in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self.chores.begin(self.reloading.told_to()))
        prepare()
        async with AsyncExitStack() as rooms:
            if not await self._opened(rooms):
                return
            self.journal.append(EngineStarted("", now_ms(), engine=self.settings.name, version=engine.VERSION))
            self.ready = True
            # Tables of numbers, models, code: nothing of it is garbage, so no collection need look at it again.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GC_THRESHOLDS)
            log.info("engine.ready", numbers=list(self.board.site.hotline.numbers), asterisk=self.node.version)
            await self._stop.wait()
            self.ready = False
            self.callbacks.drain()
            await self.calls.drain(self.settings.drain_s)
            self.journal.append(EngineStopped("", now_ms(), engine=self.settings.name))

    async def _opened(self, rooms: AsyncExitStack) -> bool:
        """False when told to stop while still opening."""
        opening = asyncio.ensure_future(self._open(rooms))
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if not opening.done():
                opening.cancel()
                await asyncio.wait({opening})
        if opening.cancelled():
            return False
        opening.result()
        return True

    async def _open(self, rooms: AsyncExitStack) -> None:
        await self.database.open()
        rooms.push_async_callback(self.database.close)
        await self.line.open()
        await self.ledger.open()
        rooms.push_async_callback(self._write_out)
        await self.orders.open()
        rooms.push_async_callback(self.orders.close)
        await self.identity.open()
        await self.self_service.open()
        rooms.push_async_callback(self._hang_up_on_endpoints)
        self._background(rooms, self.courier.run())
        self._background(rooms, self.mailboxes.run())
        if self.settings.agi_port:
            await self._open_agi(rooms, self.settings.agi_port)
        await self.acd.open()
        rooms.push_async_callback(self.acd.close)
        rooms.push_async_callback(self.items.close)
        rooms.push_async_callback(self.callbacks.close)
        await self.staff(self.board.site)
        self._left_behind = await self.records.held()
        self.recovery.expect(self._left_behind)
        self._background(rooms, self.rebuilding.run())
        self._background(rooms, self.callbacks.run())
        self._background(rooms, self.lag.watch())
        self.seats()
        self._background(rooms, self.node.ari.run())
        await self.node.until_up(ASTERISK_ANSWERS_S)
        await self.seat()
        api = Api(self)
        await api.open(self.settings.state.api_socket)
        rooms.push_async_callback(api.close)

    async def _open_agi(self, rooms: AsyncExitStack, port: int) -> None:
        server = FastAgi(*self.scripts(self.board.site))
        try:
            await server.open(port)
        except OSError as error:
            effect = "calls go on; AGI(...) in the dialplan fails"
            log.warning("agi.cannot_listen", port=port, error=str(error), effect=effect)
            return
        self.agi = server
        rooms.push_async_callback(server.close)

    def scripts(self, site: Site) -> tuple[dict[str, agi_scripts.Run | None], Rooms]:
        """A site's AGI scripts, and what of the engine they may use."""
        rooms = Rooms(site, self.services, self.journal.append, self.node.ears.hear)
        return agi_scripts.load(site.folder / "agi_scripts"), rooms

    async def staff(self, site: Site, device: Device = Device.DOWN) -> None:
        """Tells the ACD who there is and what may be asked of them; whoever is new to it has this device. Raises
        LineDown."""
        told = policies.policies(site) + policies_of(site)
        # An agent may have nothing but a SIP phone: whoever has never said otherwise is ready once it registers.
        said = {user: Said(Intent.READY, "default") for user in site.agents}
        for user, last in (await self._said()).items():
            said[user] = Said(Intent(last.intent or Intent.READY), last.reason or "default", last.skills)
        await self.acd.define(
            policies.terms(site),
            told,
            interrupting=policies.interrupting(site),
            shares=policies.shares(site),
            said=said,
            device=device,
        )

    async def _staff_again(self) -> None:
        """After Redis was emptied: whatever their phones are, they count as busy until everybody else is there."""
        await self.staff(self.board.site, Device.BUSY)

    async def _said(self) -> dict[str, LastSaid]:
        """What the database knows of the agents; nothing while it is away."""
        try:
            return await read_last_said(self.database)
        except DatabaseDown as fault:
            log.warning("agents.words_unknown", error=str(fault), effect="whoever Redis does not know counts as ready")
            return {}

    async def _tend_phones(self) -> None:
        """After every start of Asterisk; see engine/asterisk/ami.py."""
        if self.settings.ami_port:
            agents = self.board.site.agents.items()
            names = {user: agent.name for user, agent in agents if agent.number is None}
            await tend_phones(self.settings.ami_port, self.settings.ami_secret, names)

    def seats(self) -> None:
        """Who sits at a phone whose state Asterisk tells, and who has an outside phone."""
        agents = self.board.site.agents.items()
        self.phones.outside(user for user, agent in agents if agent.number is not None)
        self.node.watch([user for user, agent in agents if agent.number is None])

    async def seat(self) -> None:
        """Makes Asterisk's phones those of the site, and looks at what they do. Raises AriError."""
        await provision(self.node.ari, fittings.phones(self.board.site, self.settings.state))
        await self.node.look_at_phones()
        await self._tend_phones()

    async def _hang_up_on_endpoints(self) -> None:
        await self.identity.close()
        await self.self_service.close()

    async def _write_out(self) -> None:
        """What the journal holds goes into the database before the process leaves."""
        await self.line.close()
        await self.ledger.drain(LEDGER_DRAINS_S)
        await self.ledger.close()

    def _arrived(self, arrival: Arrival) -> None:
        self.calls.arrive(arrival)

    def _noticed(self, notice: Notice) -> None:
        if self.recovery.expects(notice.item):
            return
        room = self.items if is_item(notice.item) else self.callbacks if is_callback(notice.item) else self.calls
        room.noticed(notice)

    def _redis_back(self) -> None:
        self.rebuilding.back()

    def _redis_emptied(self) -> None:
        self.rebuilding.emptied()

    def _hours_changed(self) -> None:
        for room in (self.calls, self.items):
            self.chores.begin(surely(room.hours_changed))

    def _restarted(self) -> None:
        self.chores.begin(self._tend_phones())

    def _strangers(self, abouts: Sequence[dict[str, Any]]) -> None:
        left_behind, self._left_behind = self._left_behind, None
        if left_behind is not None:
            self.chores.begin(self._take_over(left_behind, abouts))
        else:
            self.recovery.strangers(abouts)

    async def _take_over(self, left_behind: Sequence[CallRecord], abouts: Sequence[dict[str, Any]]) -> None:
        await self.recovery.take_over(left_behind, abouts)
        self.rebuilding.back()  # Redis may have lost something while no engine watched

    def _background(self, rooms: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
        task = self.chores.begin(work)

        async def end() -> None:
            task.cancel()
            await asyncio.wait({task})

        rooms.push_async_callback(end)
