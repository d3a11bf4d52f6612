"""Asterisk's end of FastAGI, for tests: good, slow, mad or gone."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from engine.asterisk.agi_scripts import Run
from engine.asterisk.agi_session import Rooms, Session
from engine.asterisk.fastagi import FastAgi
from engine.asterisk.keys import OnKey
from engine.config.models import HotlineFile
from engine.config.queues import Queue
from engine.config.site import Site
from engine.flow.flow import Flow
from engine.hours import Calendar
from engine.identity.groups import AreaGroup
from engine.journal.events import Event
from engine.orders.lists import CallerList
from tests.unit.nobody import services_of

SHIPPED = Path(__file__).resolve().parents[2] / "agi_scripts"
SOON_S = 3.0

FACTS = {
    "network": "yes",
    "network_script": "script",
    "request": "agi://127.0.0.1:5064/script",
    "channel": "PJSIP/carrier-00000001",
    "language": "zh",
    "uniqueid": "1763726400.7",
    "callerid": "13800138000",
    "calleridname": "unknown",
    "callingpres": "0",
    "dnid": "4008001234",
    "extension": "4008001234",
    "threadid": "140",
}


@dataclass
class FakeSite:
    """As much of a site as scripts see."""

    hotline: HotlineFile = field(
        default_factory=lambda: HotlineFile.model_validate(
            {"company": "x", "numbers": {"4008001234": {"flow": "main"}}}
        )
    )
    flows: dict[str, Flow] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=lambda: {"sales": Queue(require="sales")})
    calendars: dict[str, Calendar] = field(default_factory=dict)
    lists: dict[str, CallerList] = field(default_factory=dict)
    areas: dict[str, AreaGroup] = field(default_factory=dict)

    def sound(self, prompt: str, language: str) -> str:
        name, _, fixed = prompt.partition("@")
        return f"/sounds/{fixed or language}/{name}"

    def spoken(self, prompt: str, language: str) -> str:
        return f"{prompt} in {language}"


class Ears:
    """What Asterisk tells of keys by ARI, while somebody listens."""

    def __init__(self, *, works: bool = False) -> None:
        self.works = works
        self.listeners: dict[str, OnKey] = {}
        self.somebody = asyncio.Event()

    @asynccontextmanager
    async def hear(self, channel: str, on_key: OnKey) -> AsyncIterator[Callable[[], bool]]:
        self.listeners[channel] = on_key
        self.somebody.set()
        yield lambda: self.works
        del self.listeners[channel]

    def press(self, *keys: str, channel: str = "1763726400.7") -> None:
        for key in keys:
            self.listeners[channel](key, 0.1, time.time())


def rooms(
    *, site: FakeSite | None = None, ears: Ears | None = None, events: list[Event] | None = None, **services: Any
) -> Rooms:
    """Rooms of a hotline that nobody else is in; of its services only those that are given."""
    return Rooms(
        cast(Site, site or FakeSite()),
        services_of(**services),
        (events if events is not None else []).append,
        (ears or Ears()).hear,
    )


class FakeAsterisk:
    """Asterisk's end of one session, line by line."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self.variables: dict[str, str] = {}

    def tell(self, facts: Mapping[str, str]) -> None:
        self.say(*(f"agi_{name}: {value}" for name, value in facts.items()), "")

    async def synchronise(self, state: str = "Ring") -> None:
        """Says back what no caller can know."""
        verb, said, _ = (await self.command()).split('"')
        nonce, state_wanted = said.split(" ")
        assert (verb, state_wanted) == ("GET FULL VARIABLE ", "${CHANNEL(state)}")
        self.say(f"200 result=1 ({nonce} {state})")

    def say(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\n" for line in lines).encode())

    async def command(self) -> str:
        """The next command; "" when the engine has closed."""
        try:
            line = await asyncio.wait_for(self._reader.readline(), SOON_S)
        except ConnectionResetError:  # closed before it had read all that we said
            return ""
        return line.decode().removesuffix("\n")

    async def expect(self, command: str, reply: str) -> None:
        """The next command, but for variables that are read before it."""
        while (said := await self.command()).startswith("GET FULL VARIABLE") and said != command:
            self.say(f"200 result=1 ({self.expanded(said)})")
        assert said == command
        self.say(reply)

    async def obey(self) -> dict[str, str]:
        """Sets whatever variable is to be set, until the engine closes; gives them all."""
        while command := await self.command():
            if command.startswith("GET FULL VARIABLE"):
                self.say(f"200 result=1 ({self.expanded(command)})")
                continue
            self.set(command)
        return self.variables

    def set(self, command: str) -> None:
        """Obeys a SET VARIABLE."""
        verb, name, value, _ = command.split('"', 1)[0], *command.split('"')[1::2], ""
        assert verb == "SET VARIABLE "
        self.variables[name] = value
        self.say("200 result=1")

    def expanded(self, command: str) -> str:
        """What Asterisk makes of `${URIENCODE(${A})} ${URIENCODE(${B})}`."""
        names = re.findall(r"\$\{URIENCODE\(\$\{([^}]*)\}\)\}", command)
        return " ".join(quote(self.variables.get(name, ""), safe="") for name in names)


async def nothing(_: Session) -> None:
    """A script with nothing to do."""


class Place:
    """A server with its scripts, and as many Asterisks as a test wants."""

    def __init__(self, server: FastAgi, port: int) -> None:
        self.server, self.port = server, port
        self._asterisks: list[FakeAsterisk] = []

    async def connect(self) -> FakeAsterisk:
        asterisk = FakeAsterisk(*await asyncio.open_connection("127.0.0.1", self.port))
        self._asterisks.append(asterisk)
        return asterisk

    async def close(self) -> None:
        await self.server.close()
        for asterisk in self._asterisks:
            asterisk.writer.close()
            with contextlib.suppress(ConnectionError):
                await asterisk.writer.wait_closed()

    async def call(self, *, state: str = "Ring", **facts: str) -> FakeAsterisk:
        """A call whose script has been begun."""
        asterisk = await self.connect()
        asterisk.tell({**FACTS, **facts})
        await asterisk.synchronise(state)
        return asterisk


@asynccontextmanager
async def place(
    script: Run | None = nothing,
    *,
    of: Rooms | None = None,
    scripts: Mapping[str, Run | None] = {},
    **options: Any,
) -> AsyncIterator[Place]:
    server = FastAgi({"script": script, **scripts}, of or rooms(), **options)
    there = Place(server, await server.open(0))
    try:
        yield there
    finally:
        await there.close()


@asynccontextmanager
async def responsive_loop() -> AsyncIterator[None]:
    """Fails when somebody spins meanwhile and starves the event loop. By the thread's own time: a machine that is busy
    with others does not count."""
    gaps: list[float] = []
    turned = asyncio.Event()

    async def watch() -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0.005)
            gaps.append(time.thread_time() - before)
            turned.set()

    watching = asyncio.create_task(watch())
    try:
        yield
        async with asyncio.timeout(SOON_S):
            for _ in range(10):  # what spins does so until then
                turned.clear()
                await turned.wait()
    finally:
        watching.cancel()
    assert max(gaps) < 0.25, f"the loop was busy with one thing for {max(gaps):.2f} s"
