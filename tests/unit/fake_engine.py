"""An engine's API with canned answers, on a real Unix socket."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web


class FakeEngine:
    """Answers what it was told, and remembers what was posted. In a thread: the commands have loops of their own."""

    def __init__(self, socket: Path, answers: dict[str, Any]) -> None:
        self.posted: list[tuple[str, Any]] = []
        self.asked: list[str] = []
        self._socket, self.answers = socket, answers
        self.accepted: Any = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def open(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self._socket)).start()

    async def _answer(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            self.posted.append((request.path, orjson.loads(await request.read())))
            body = self.accepted(request.path) if callable(self.accepted) else self.accepted
            return web.Response(body=orjson.dumps(body))
        self.asked.append(request.path_qs)
        if request.path not in self.answers:
            return web.Response(status=404, text=f"nothing at {request.path}")
        return web.Response(body=orjson.dumps(self.answers[request.path]))
