"""An identity endpoint on loopback, and the engine that asks it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web

from engine.identity.contract import Member
from engine.identity.endpoint import Answer, Identity, NoIdentity
from engine.identity.numbers import normalise

SECRET = "s3cret"
KNOWN = normalise("013800138000")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def endpoint(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/identity", handler)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/identity"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def identity(url: str, **options: Any) -> AsyncIterator[Identity]:
    asked = Identity(url, SECRET, **options)
    await asked.open()
    try:
        yield asked
    finally:
        await asked.close()


async def ask(asked: Identity | NoIdentity, *, call_id: str = "c1", member: Member | None = None) -> Answer:
    return await asked.look_up(KNOWN, dialled="4008001234", call_id=call_id, variables={}, member=member)


def answering(body: Any, status: int = 200, **options: Any) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        await request.read()
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        return web.Response(body=data, status=status, **options)

    return handler


async def once(handler: Handler, **options: Any) -> Answer:
    async with endpoint(handler) as url, identity(url, **options) as asked:
        return await ask(asked)
