"""The FastAGI server: runs the site's scripts for the dialplan's `AGI(${AGI}/NAME)`, on loopback only.

A library for this exists (panoramisk), but a peer that closes early makes it spin and starve the event loop,
and a HANGUP is taken for the answer to the next command.
"""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter, Task
from collections import OrderedDict
from collections.abc import Mapping
from enum import StrEnum

import structlog

from engine.asterisk.agi_scripts import Run
from engine.asterisk.agi_session import Rooms, Session
from engine.asterisk.agi_wire import MOST_BYTES, AgiError, NotAgi, Wire, read_request
from engine.asterisk.dialplan import BadArguments
from engine.flow.digits import Digits
from engine.flow.leg import HungUp
from engine.sounds import UnknownPrompt

log = structlog.get_logger()

RESULT = "HOTLINE_AGI"

MOST_SESSIONS = 200
# Callers over the limit are told so; over this one there is not even time for that.
MOST_CONNECTIONS = 2 * MOST_SESSIONS
HEADER_S = 5.0
# For a script whose caller has gone: to unwind by itself, then to obey its cancellation.
UNWINDS_S = 2.0
ENDS_S = 5.0


class Result(StrEnum):
    """What the dialplan finds in HOTLINE_AGI afterwards."""

    OK = "ok"
    ERROR = "error"
    NOT_FOUND = "notfound"
    BUSY = "busy"


class FastAgi:
    """Owns the listening socket and one task for each connection, all of which `close` ends.

    `header_s`: seconds a peer has for the block of facts. `most_sessions`: scripts that may run at once.
    """

    def __init__(
        self,
        scripts: Mapping[str, Run | None],
        rooms: Rooms,
        *,
        header_s: float = HEADER_S,
        most_sessions: int = MOST_SESSIONS,
    ) -> None:
        self._scripts, self._rooms = scripts, rooms
        self._header_s, self._most_sessions = header_s, most_sessions
        self._server: asyncio.Server | None = None
        self._connections: set[Task[None]] = set()
        self._typed_ahead: OrderedDict[str, Digits] = OrderedDict()
        self._running = 0

    def use(self, scripts: Mapping[str, Run | None], rooms: Rooms) -> None:
        """Calls from now on get these; those that run keep what they have."""
        self._scripts, self._rooms = scripts, rooms
        log.info("agi.scripts", scripts=[name for name, run in scripts.items() if run])

    async def open(self, port: int) -> int:
        """Listens and gives the port, which 0 leaves to the kernel. Raises OSError."""
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", port, limit=MOST_BYTES, backlog=MOST_CONNECTIONS
        )
        bound: int = self._server.sockets[0].getsockname()[1]
        log.info("agi.listening", port=bound, scripts=[name for name, run in self._scripts.items() if run])
        return bound

    async def close(self) -> None:
        """Stops listening, and ends the scripts that run."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=ENDS_S)

    def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        if len(self._connections) >= MOST_CONNECTIONS:
            log.warning("agi.too_many_connections", limit=MOST_CONNECTIONS)
            writer.close()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._header_s):
                facts = await read_request(reader)
        except TimeoutError:
            log.warning("agi.slow_peer", seconds=self._header_s)
        except NotAgi as error:
            log.warning("agi.not_agi", said=str(error))
        except OSError as error:
            log.info("agi.peer_lost", error=str(error))
        else:
            await self._follow(Wire(reader, writer), facts)
        finally:
            writer.close()

    async def _follow(self, wire: Wire, facts: Mapping[str, str]) -> None:
        """Runs the script for as long as its caller is there."""
        script = asyncio.ensure_future(self._perform(wire, facts))
        caller = asyncio.ensure_future(wire.listen())
        try:
            await asyncio.wait({script, caller}, return_when=asyncio.FIRST_COMPLETED)
            if caller.done() and caller.result():
                await asyncio.wait({script}, timeout=UNWINDS_S)
        finally:
            script.cancel()
            caller.cancel()
            _, stubborn = await asyncio.wait({script, caller}, timeout=ENDS_S)
            if stubborn:
                log.error("agi.script_will_not_end", script=facts.get("network_script"), call=facts.get("uniqueid"))

    async def _perform(self, wire: Wire, facts: Mapping[str, str]) -> None:
        digits = self._typed_ahead.pop(facts.get("uniqueid", ""), None) or Digits()
        session = Session(wire, facts, self._rooms, digits)
        bound = log.bind(script=session.script[:64], call=session.call_id)
        try:
            await session.begin()
            async with session.rooms.hear(session.call_id, session.press) as session.hears:
                result = await self._run(session, bound)
            await session.set_variable(RESULT, result)
            self._keep(session)
        except HungUp:
            bound.info("agi.hung_up")
        except NotAgi as error:
            bound.warning("agi.not_agi", said=str(error))
        except AgiError as error:
            bound.warning("agi.no_result", error=str(error))

    def _keep(self, session: Session) -> None:
        """Keys that nobody has taken yet, for the call's next script."""
        if session.digits:
            self._typed_ahead[session.call_id] = session.digits
            if len(self._typed_ahead) > MOST_CONNECTIONS:
                self._typed_ahead.popitem(last=False)

    async def _run(self, session: Session, bound: structlog.typing.FilteringBoundLogger) -> Result:
        if self._running >= self._most_sessions:
            bound.error("agi.busy", limit=self._most_sessions)
            return Result.BUSY
        if session.script not in self._scripts:
            bound.error("agi.no_such_script", there_are=list(self._scripts))
            return Result.NOT_FOUND
        run = self._scripts[session.script]
        if run is None:
            bound.error("agi.script_unusable", effect="see the line about it from the start")
            return Result.ERROR
        self._running += 1
        try:
            await run(session)
        except HungUp:
            raise
        except (BadArguments, UnknownPrompt) as error:
            bound.error("agi.bad_arguments", error=str(error))
            return Result.ERROR
        except (Exception, SystemExit):  # noqa: BLE001 - somebody else's code; sys.exit() is an AGI script's habit
            bound.exception("agi.script_failed")
            return Result.ERROR
        finally:
            self._running -= 1
        return Result.OK
