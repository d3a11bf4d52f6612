"""`hotline up`: starts Redis, Asterisk and the engine, keeps them running, and stops them in order.

Killed with -9 it leaves all three serving their calls; the next `hotline up` takes them over.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from engine.api.client import NoEngine, Refused, ask
from engine.config import site as sites
from engine.host import asterisk_program, generated, redis_child
from engine.host.backoff import Backoff
from engine.host.child import Child
from engine.host.state import CannotRun, Ports, State
from engine.redis_line import url as redis_url

log = structlog.get_logger()

REDIS_STARTS_S = 20.0
ENGINE_STARTS_S = 90.0


@dataclass(frozen=True, slots=True)
class Options:
    """What `hotline up` was told."""

    site: Path
    state: Path
    sip_bind: str
    port_base: int
    redis_url: str | None
    database_url: str | None
    ari_url: str | None
    drain_s: float


@dataclass(frozen=True, slots=True)
class Address:
    """Where this hotline is; kept in the state folder for the commands that print it."""

    sip_bind: str
    sip_port: int
    site: str


def read_address(state: State) -> Address | None:
    """The address of the hotline that runs, or last ran, with this state."""
    try:
        return Address(**json.loads((state.run / "address.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


class Supervisor:
    """Owns the children of one hotline."""

    def __init__(self, options: Options, say: Callable[[str], None]) -> None:
        """`say` is told, in words, how far the start is. Raises CannotRun, BadRedisUrl."""
        if options.redis_url is not None:
            redis_url.parse(options.redis_url)
        self._options = options
        self._listener = say
        self._state = State(options.state)
        self._ports = Ports(options.port_base)
        self._stop = asyncio.Event()
        self._children: list[Child] = []

    async def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises CannotRun, SiteError; then nothing that it started is left running."""
        loop = asyncio.get_running_loop()
        for signal_ in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_, self._stop.set)
        # From a terminal it means that the terminal is gone; from a service manager, that there is something to reload.
        loop.add_signal_handler(signal.SIGHUP, self._stop.set if sys.stdin.isatty() else self._pass_on_reload)
        self._state.make()
        with self._state.locked():
            self._state.require_space()
            site = sites.load(self._options.site)
            try:
                await self._start()
                self._say(f"ready: {', '.join(site.hotline.numbers)} answers on {self._where()}. Ctrl-C stops it.")
                await self._watch()
            finally:
                await self._end()

    def _pass_on_reload(self) -> None:
        engine = next((child.running() for child in self._children if child.name == "engine"), None)
        if engine is not None:
            os.kill(engine, signal.SIGHUP)

    def _say(self, words: str) -> None:
        with suppress(OSError):  # whoever listened may be gone; stopping in order matters more
            self._listener(words)

    def _where(self) -> str:
        return f"SIP {self._options.sip_bind}:{self._ports.sip} (UDP)"

    async def _start(self) -> None:
        options, state = self._options, self._state
        address = Address(options.sip_bind, self._ports.sip, str(options.site.resolve()))
        (state.run / "address.json").write_text(json.dumps(asdict(address)))
        if options.redis_url is None:
            await self._start_redis()
        if options.ari_url is None:
            await self._start_asterisk()
        await self._start_engine()

    async def _start_redis(self) -> None:
        state = self._state
        child = Child(
            "redis", redis_child.argv(state.redis_socket, state.redis), run=state.run, log_file=state.log / "redis.log"
        )
        try:
            there = await self._begin(child)
        except FileNotFoundError:
            raise CannotRun("there is no redis-server; `make setup` installs it, or give --redis URL") from None
        client = redis.asyncio.Redis(unix_socket_path=str(state.redis_socket))

        async def answers() -> bool:
            try:
                return bool(await client.ping())
            except RedisError:
                return False

        try:
            await self._until(child, answers, REDIS_STARTS_S)
        finally:
            await client.aclose()
        self._say(f"redis: {'taken over' if there else 'started'} (pid {child.pid})")

    async def _start_asterisk(self) -> None:
        state, options = self._state, self._options
        program = asterisk_program.find()
        conf = generated.write(state, options.site, program, options.sip_bind, self._ports)
        argv = [*program.argv, "-C", str(conf), "-f"]
        settings = f"{program.version} {options.sip_bind} {self._ports.base}"
        child = Child("asterisk", argv, run=state.run, log_file=state.log / "asterisk.log", settings=settings)
        if child.running() is None:
            self._require_ports()
        there = await self._begin(child)
        self._say(f"asterisk {program.version}: {'taken over' if there else 'started'} (pid {child.pid})")

    def _require_ports(self) -> None:
        wanted = [
            (socket.SOCK_DGRAM, self._options.sip_bind, self._ports.sip, "SIP"),
            (socket.SOCK_STREAM, "127.0.0.1", self._ports.ari, "ARI"),
            (socket.SOCK_STREAM, "127.0.0.1", self._ports.ami, "AMI"),
            (socket.SOCK_STREAM, "127.0.0.1", self._ports.agi, "AGI"),
        ]
        for kind, host, port, use in wanted:
            with socket.socket(socket.AF_INET, kind) as probe:
                if kind == socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, port))
                except OSError as error:
                    protocol = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
                    raise CannotRun(
                        f"{protocol} port {port} on {host} ({use}) cannot be used: {error.strerror}; "
                        "stop what uses it, or give --port-base another number"
                    ) from error

    async def _start_engine(self) -> None:
        options, state = self._options, self._state
        argv = [sys.executable, "-m", "engine.cli", "engine", "--site", str(options.site.resolve())]
        argv += ["--state", str(state.folder), "--drain", str(options.drain_s)]
        ari = options.ari_url or f"http://hotline:{state.secret('ari')}@127.0.0.1:{self._ports.ari}/ari"
        environment = {
            "HOTLINE_REDIS_URL": options.redis_url or f"unix://{state.redis_socket}?db=0",
            "DATABASE_URL": options.database_url or state.database_url,
            "HOTLINE_ARI_URL": ari,
            "HOTLINE_PORT_BASE": str(self._ports.base),
        }
        child = Child("engine", argv, run=state.run, log_file=state.log / "engine.log", environment=environment)
        # Whatever engine is there runs with yesterday's settings; its calls are found by the one that follows.
        await child.stop(2, signal.SIGKILL)
        state.api_socket.unlink(missing_ok=True)
        await self._begin(child)

        async def ready() -> bool:
            try:
                return bool((await ask(state.api_socket, "/v1/status", timeout_s=1))["ready"])
            except (NoEngine, Refused):
                return False

        await self._until(child, ready, ENGINE_STARTS_S)
        self._say(f"engine: started (pid {child.pid})")

    async def _begin(self, child: Child) -> bool:
        there = await child.start()
        self._children.append(child)
        return there

    async def _until(self, child: Child, ready: Callable[[], Awaitable[bool]], deadline_s: float) -> None:
        """Waits until a child serves. Raises CannotRun with the last words of the one that ends, or takes too long."""
        endings = {asyncio.ensure_future(one.ended()): one for one in self._children}
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            async with asyncio.timeout(deadline_s):
                while not await ready():
                    await asyncio.wait({*endings, stopped}, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
                    if stopped.done():
                        raise CannotRun("stopped while starting")
                    for ending, one in endings.items():
                        if ending.done():
                            words = one.last_words()
                            raise CannotRun(f"{one.name} ended at once: {words} (log: {one.log_file})")
        except TimeoutError:
            message = f"{child.name} was not ready in {deadline_s:g} s: {child.last_words()} (log: {child.log_file})"
            raise CannotRun(message) from None
        finally:
            for waiting in (*endings, stopped):
                waiting.cancel()

    async def _watch(self) -> None:
        """Starts again whatever ends, until told to stop."""
        keepers = [asyncio.ensure_future(self._keep(child)) for child in self._children]
        await self._stop.wait()
        for keeper in keepers:
            keeper.cancel()
        await asyncio.wait(keepers)

    async def _keep(self, child: Child) -> None:
        backoff = Backoff()
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            how = await child.ended()
            said = f"{child.name} ended ({how})" if how else f"{child.name} ended"
            self._say(f"{said}; starting it again (log: {child.log_file})")
            await asyncio.sleep(backoff.pause_s(loop.time() - began))
            try:
                await child.start()
            except OSError as error:
                log.exception("child.cannot_start", child=child.name, error=str(error))

    async def _end(self) -> None:
        """The engine first, so that its calls can end; then the telephone system; then its memory."""
        for child in reversed(self._children):
            self._say(f"stopping {child.name}")
            with suppress(ProcessLookupError):
                await child.stop(self._options.drain_s + 20 if child.name == "engine" else 10)
        self._state.api_socket.unlink(missing_ok=True)
