"""`python -m bench.identity PORT`: an identity endpoint (docs/identity.md) that knows every caller.

It checks no signature, because the dialplan of the rival cannot sign (Asterisk has no HMAC function) and both
systems shall get the same answer for the same question. Its own cost is counted for neither.
"""

from __future__ import annotations

import sys

import aiohttp
from aiohttp import web

from bench.network import Address

_ANSWER = {"status": "ok", "customer": {"id": "1001", "name": "张三", "tier": "ordinary"}}
_ASKED = web.AppKey("asked", set[str])


async def look_ups(address: Address) -> int:
    """How many different callers the running endpoint was asked about."""
    timeout = aiohttp.ClientTimeout(total=5)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(f"http://{address}/asked") as answer,
    ):
        return int(await answer.text())


async def _identify(request: web.Request) -> web.Response:
    question = await request.json()
    request.app[_ASKED].add(question["caller"]["number"])
    return web.json_response(_ANSWER)


async def _asked(request: web.Request) -> web.Response:
    return web.Response(text=str(len(request.app[_ASKED])))


def main(port: int) -> None:
    app = web.Application()
    app[_ASKED] = set()
    app.router.add_post("/identity", _identify)
    app.router.add_get("/asked", _asked)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
