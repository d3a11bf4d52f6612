"""The pipe to one worker process, seen from asyncio: questions with one reply each, and events."""

import asyncio
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import IO, Any

from phones.errors import PhoneError, WorkerDied

REPLY_S = 5.0
START_S = 10.0
END_S = 6.0
SIP_LOG_LEVEL = 4

Event = dict[str, Any]
Result = dict[str, Any]


class Link:
    """Owns the process: `open` starts it, `close` ends it, and nothing it says is lost between the two."""

    def __init__(self, on_event: Callable[[Event], None]) -> None:
        self._on_event = on_event
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._replies: dict[int, asyncio.Future[Result]] = {}
        self._numbers = itertools.count(1)
        self._ready = asyncio.Event()
        self._frozen = False
        self.died = ""

    async def open(self, log: Path | None) -> None:
        """Starts the worker; its SIP messages go to `log`. Raises WorkerDied if it does not come up."""
        sink = await asyncio.to_thread(_appending, log) if log else None
        with sink or nullcontext():
            self._process = await self._launch(SIP_LOG_LEVEL if sink else 0, sink)
        self._reader = asyncio.create_task(self._read(self._process), name="phones-worker")
        try:
            async with asyncio.timeout(START_S):
                await self._ready.wait()
        except TimeoutError:
            await self.close()
            raise WorkerDied(f"the phone's worker was not ready within {START_S:g} s") from None
        if self.died:
            raise WorkerDied(self.died)

    async def _launch(self, level: int, sink: IO[bytes] | None) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "phones.worker",
            str(level),
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=sink,
            limit=1 << 20,
        )

    async def ask(self, verb: str, *, deadline_s: float = REPLY_S, **arguments: Any) -> Result:
        """One command, its result. Raises PhoneError when it was refused, WorkerDied when nobody is there."""
        if not self._running:
            raise WorkerDied(self.died or "the phone's worker is not running")
        number = self.post(verb, **arguments)
        reply: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        try:
            async with asyncio.timeout(deadline_s):
                return await reply
        except TimeoutError:
            raise WorkerDied(f"the phone's worker did not answer `{verb}` in {deadline_s:g} s") from None
        finally:
            del self._replies[number]

    def post(self, verb: str, **arguments: Any) -> int:
        """One command whose result nobody waits for; nothing happens when the worker is gone."""
        number = next(self._numbers)
        if self._running and self._process and self._process.stdin:
            self._process.stdin.write(json.dumps({"id": number, "do": verb, **arguments}).encode() + b"\n")
        return number

    @property
    def _running(self) -> bool:
        return self._process is not None and not self.died

    def freeze(self) -> None:
        """Stops the process where it stands: its sockets stay bound, and nobody reads them."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGSTOP)
            self._frozen = True
            self._gone("this phone has vanished")

    async def close(self) -> None:
        """Ends the worker: politely by the end of its stdin, after 6 s by force. Never raises, idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            if process.stdin is not None:
                process.stdin.close()
            if not self._frozen:
                with suppress(TimeoutError):
                    async with asyncio.timeout(END_S):
                        await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
            if self._reader is not None:
                await self._reader

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        while line := await process.stdout.readline():
            self._take(json.loads(line))
        self._gone(f"the phone's worker ended with exit code {await process.wait()}")

    def _gone(self, why: str) -> None:
        """From here on everybody who asks or waits is told so."""
        self.died = self.died or why
        self._ready.set()
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(WorkerDied(self.died))
        self._on_event({"event": "died"})

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("event") == "ready":
            self._ready.set()
        elif "event" in message:
            self._on_event(message)
        else:
            self._settle(message)

    def _settle(self, message: dict[str, Any]) -> None:
        reply = self._replies.get(message["id"])
        if reply is None or reply.done():
            return
        if "error" in message:
            reply.set_exception(PhoneError(message["error"]))
        else:
            reply.set_result(message["result"])


def _appending(log: Path) -> IO[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    return log.open("ab")
