"""An engine of a test's own in the place of the hotline's: one that is not to use REST over WebSocket, or one whose
line to Asterisk breaks when it is told to.

`python -m tests.e2e.own_engine SITE STATE PORT_BASE ARI_PORT [--http-only]`
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from engine.app import Engine, Settings
from engine.config import site as sites
from engine.host.state import Ports, State
from engine.logs import configure
from tests.e2e.hotline import Hotline
from tests.e2e.site_of_tones import PROJECT
from tests.e2e.waiting import until


async def until_no_engine(hotline: Hotline) -> int:
    """Kills the engine with nobody there to start it again; gives its pid."""
    hotline.tell(signal.SIGSTOP)
    old = hotline.kill("engine")

    async def alone() -> bool:
        return bool(await hotline.ari("applications") == [])

    await until(alone, within=5, what="Asterisk has no application any more")
    return old


@asynccontextmanager
async def own_engine(hotline: Hotline, *, ari_port: int | None = None, http_only: bool = False) -> AsyncIterator[None]:
    """The hotline has this engine, and its own again afterwards."""
    old = await until_no_engine(hotline)
    argv = [sys.executable, "-m", __name__, str(hotline.site), str(hotline.state.folder), str(hotline.ports.base)]
    argv += [str(ari_port or hotline.ports.ari), *(["--http-only"] if http_only else [])]
    with (hotline.state.log / "engine.log").open("ab") as log:
        engine = await asyncio.create_subprocess_exec(*argv, cwd=PROJECT, stderr=log)
    try:
        await until(hotline.ready, within=20, what="the test's own engine is ready")
        yield
    finally:
        engine.terminate()
        await asyncio.wait_for(engine.wait(), 20)
        hotline.tell(signal.SIGCONT)
        await hotline.replaced("engine", old)


class Line:
    """What lies between an engine and Asterisk's ARI, and can be cut."""

    def __init__(self, ari_port: int) -> None:
        self.port = 0
        self._ari_port = ari_port
        self._cut = False
        self._writers: set[StreamWriter] = set()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        if self._cut:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._ari_port)
        self._writers |= {writer, far_writer}
        await asyncio.wait(
            [asyncio.ensure_future(_pass_on(*way)) for way in ((reader, far_writer), (far_reader, writer))]
        )
        self._writers -= {writer, far_writer}

    def breaks(self) -> None:
        """At once, for both; nobody gets through before it `comes_back`."""
        self._cut = True
        for writer in self._writers:
            writer.transport.abort()

    def comes_back(self) -> None:
        self._cut = False

    @classmethod
    @asynccontextmanager
    async def to(cls, ari_port: int) -> AsyncIterator[Line]:
        line = cls(ari_port)
        server = await asyncio.start_server(line._serve, "127.0.0.1", 0)
        line.port = server.sockets[0].getsockname()[1]
        try:
            yield line
        finally:
            line.breaks()
            server.close()


async def _pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("site", type=Path)
    parser.add_argument("state", type=Path)
    parser.add_argument("base", type=int)
    parser.add_argument("ari_port", type=int)
    parser.add_argument("--http-only", action="store_true")
    said = parser.parse_args()
    state, ports = State(said.state), Ports(said.base)
    settings = Settings(
        state=state,
        redis_url=f"unix://{state.redis_socket}?db=0",
        database_url=state.database_url,
        ari_url=f"http://127.0.0.1:{said.ari_port}/ari",
        ari_user="hotline",
        ari_password=state.secret("ari"),
        ami_port=ports.ami,
        ami_secret=state.secret("ami"),
        drain_s=5.0,
        rest_over_websocket=not said.http_only,
    )
    configure()

    async def serve() -> None:
        await Engine(sites.load(said.site), settings).run()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
