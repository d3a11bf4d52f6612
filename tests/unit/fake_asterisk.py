"""Asterisk's end of FastAGI, for tests: good, slow, mad or gone."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from engine.asterisk.agi_scripts import Run
from engine.asterisk.agi_session import Rooms, Session
from engine.asterisk.fastagi import FastAgi
from engine.identity.endpoint import NoIdentity

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


class FakeAsterisk:
    """Asterisk's end of one session, line by line."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self.variables: dict[str, str] = {}

    def tell(self, facts: Mapping[str, str]) -> None:
        self.say(*(f"agi_{name}: {value}" for name, value in facts.items()), "")

    async def synchronise(self) -> None:
        """Says back what no caller can know."""
        verb, nonce, _ = (await self.command()).split('"')
        assert verb == "GET FULL VARIABLE "
        self.say(f"200 result=1 ({nonce})")

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
        assert await self.command() == command
        self.say(reply)

    async def obey(self) -> dict[str, str]:
        """Sets whatever variable is to be set, until the engine closes; gives them all."""
        while command := await self.command():
            verb, name, value, _ = command.split('"', 1)[0], *command.split('"')[1::2], ""
            assert verb == "SET VARIABLE "
            self.variables[name] = value
            self.say("200 result=1")
        return self.variables


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

    async def call(self, **facts: str) -> FakeAsterisk:
        """A call whose script has been begun."""
        asterisk = await self.connect()
        asterisk.tell({**FACTS, **facts})
        await asterisk.synchronise()
        return asterisk


@asynccontextmanager
async def place(
    script: Run | None = nothing, *, rooms: Rooms | None = None, scripts: Mapping[str, Run | None] = {}, **options: Any
) -> AsyncIterator[Place]:
    rooms = rooms or Rooms(NoIdentity(), lambda prompt, language: f"/sounds/{language}/{prompt}")
    server = FastAgi({"script": script, **scripts}, rooms, **options)
    there = Place(server, await server.open(0))
    try:
        yield there
    finally:
        await there.close()


@asynccontextmanager
async def responsive_loop() -> AsyncIterator[None]:
    """Fails when the event loop is starved meanwhile: somebody spins."""
    loop = asyncio.get_running_loop()
    gaps: list[float] = []

    async def watch() -> None:
        while True:
            before = loop.time()
            await asyncio.sleep(0.005)
            gaps.append(loop.time() - before)

    watching = asyncio.create_task(watch())
    try:
        yield
        await asyncio.sleep(0.05)  # what spins does so until then
    finally:
        watching.cancel()
    assert len(gaps) >= 3, "the loop was not free once"
    assert max(gaps) < 0.5, f"the loop stood still for {max(gaps):.2f} s"
