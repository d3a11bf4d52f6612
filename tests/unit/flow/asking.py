"""The `http` step, and a server on loopback that it asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
from aiohttp import web

from engine.config.models import IdentitySettings
from engine.config.site import Site
from engine.flow.steps import Ended
from engine.http.self_service import Outcome, SelfService
from tests.unit.flow.scripted import Walked, default_site, walk
from tests.unit.nobody import services_of

SECRET = "shared"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handler)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def answering(body: Any, status: int = 200, **options: Any) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        return web.Response(body=data, status=status, **options)

    return handler


async def ask(
    url: str,
    settings: Mapping[str, Any] | None = None,
    service: Any = None,
    site: Site | None = None,
    **variables: Any,
) -> Walked:
    """One `http` step, whose outcomes are steps."""
    steps: dict[str, Any] = {
        "ask": {"http": url, "when": {o.value: f"was_{o.value}" for o in Outcome}, **(settings or {})},
        **{f"was_{o.value}": {"hangup": "flow_hangup"} for o in Outcome},
    }
    if service is not None:
        return await walk([], steps, services=services_of(http=service), site=site, **variables)
    real = SelfService(SECRET)
    await real.open()
    try:
        return await walk([], steps, services=services_of(http=real), site=site, **variables)
    finally:
        await real.close()


def ended(walked: Walked) -> tuple[str, str]:
    """The outcome's step, and the detail in the timeline."""
    assert isinstance(walked.end, Ended)
    (finished,) = [payload for kind, payload in walked.notes if kind == "http.finished"]
    return walked.entered[-1].removeprefix("main/was_"), finished["detail"]


def asking_at(base: str) -> Site:
    settings = IdentitySettings(url=f"{base}/identity")
    return replace(default_site(), hotline=default_site().hotline.model_copy(update={"identity": settings}))
