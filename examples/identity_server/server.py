"""Answers "who is calling?", "is this PIN theirs?" and "what is on the account?" from a YAML file.

It checks the signature, as yours should.
"""

import hashlib
import hmac
import time
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from examples.identity_server.members import Members

MAX_AGE_MS = 300_000  # an older request may be one that somebody recorded and plays back

DATA = web.AppKey("data", dict[str, dict[str, Any]])
MEMBERS = web.AppKey("members", Members)
SECRET = web.AppKey("secret", bytes)


def create_app(customers_file: Path, secret: str) -> web.Application:
    app = web.Application(client_max_size=64 * 1024)
    app[DATA] = yaml.safe_load(customers_file.read_text(encoding="utf-8"))
    app[MEMBERS] = Members(app[DATA]["members"])
    app[SECRET] = secret.encode()
    app.router.add_post("/identity", identify)
    app.router.add_get("/accounts/{customer}", account)
    app.router.add_get("/orders/{number}", order)
    app.router.add_get("/health", health)
    return app


async def identify(request: web.Request) -> web.Response:
    """The identity endpoint: docs/identity.md."""
    body = await request.read()
    if not signed_by_engine(request, body):
        return web.json_response({"error": "bad signature"}, status=401)
    question = await request.json()
    if question["event"] == "member":
        return web.json_response(
            request.app[MEMBERS].answer(question["member"], request.headers.get("Idempotency-Key", ""))
        )
    known = request.app[DATA]["callers"].get(question["caller"]["number"])
    return web.json_response(known["answer"] if known else {"status": "not_found"})


async def account(request: web.Request) -> web.Response:
    """For an `http` step: what is on the account of a customer."""
    return self_service(request, "accounts", request.match_info["customer"])


async def order(request: web.Request) -> web.Response:
    """For an `http` step: how an order stands."""
    return self_service(request, "orders", request.match_info["number"])


def self_service(request: web.Request, kind: str, key: str) -> web.Response:
    # An http step signs the request's first line too: a GET has no body that would say what is asked.
    if not signed_by_engine(request, f"{request.method} {request.path_qs}\n".encode()):
        return web.json_response({"error": "bad signature"}, status=401)
    found = request.app[DATA][kind].get(key)
    if found is None:
        return web.json_response({"error": "not found"}, status=404)
    return web.json_response(found)


async def health(request: web.Request) -> web.Response:
    data = request.app[DATA]
    return web.json_response({"status": "ok", "customers": len(data["callers"]), "members": len(data["members"])})


def signed_by_engine(request: web.Request, signed: bytes) -> bool:
    timestamp = request.headers.get("X-Hotline-Timestamp", "")
    signature = request.headers.get("X-Hotline-Signature", "")
    if not timestamp.isdecimal() or abs(time.time() * 1000 - int(timestamp)) > MAX_AGE_MS:
        return False
    expected = hmac.new(request.app[SECRET], timestamp.encode() + b"." + signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature.encode(), f"sha256={expected}".encode())
