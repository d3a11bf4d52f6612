"""The company's identity endpoint: the example server, and every way in which it may let its callers down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

from aiohttp import web
from aiohttp.typedefs import Handler

from examples.identity_server.server import create_app
from tests.e2e.site_of_tones import PROJECT

CUSTOMERS = PROJECT / "examples/identity_server/customers.yaml"


class Mood(StrEnum):
    WELL = "well"
    SLOW = "slow"
    NONSENSE = "nonsense"


class IdentityEndpoint:
    """One endpoint, in its mood of the moment; it outlives being down at the same address."""

    def __init__(self, secret: str) -> None:
        self.mood = Mood.WELL
        self.answers_after_s = 5.0
        self.asked: list[tuple[str, str]] = []  # path and Idempotency-Key of each request
        self._app = create_app(CUSTOMERS, secret)
        self._app.middlewares.append(self._moodily)
        self._runner = web.AppRunner(self._app, shutdown_timeout=0.1)
        self._site: web.TCPSite | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/identity"

    async def open(self) -> None:
        await self._runner.setup()
        await self._listen()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        await self._runner.cleanup()

    async def _listen(self) -> None:
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await self._site.start()

    @asynccontextmanager
    async def in_mood(self, mood: Mood, answers_after_s: float = 5.0) -> AsyncIterator[None]:
        self.mood, self.answers_after_s = mood, answers_after_s
        try:
            yield
        finally:
            self.mood = Mood.WELL

    @asynccontextmanager
    async def down(self) -> AsyncIterator[None]:
        """Nobody listens: connections are refused, those kept alive are closed."""
        assert self._site is not None
        await self._site.stop()
        assert self._runner.server is not None
        for connection in list(self._runner.server.connections):
            connection.force_close()
        try:
            yield
        finally:
            await self._listen()

    @web.middleware
    async def _moodily(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked.append((request.path, request.headers.get("Idempotency-Key", "")))
        if self.mood is Mood.SLOW:
            await asyncio.sleep(self.answers_after_s)
        elif self.mood is Mood.NONSENSE:
            return web.Response(text="<html>猫 {status: ok}</html>", content_type="text/html")
        return await handler(request)
