"""Answers "who is calling?" from a YAML file. It checks the signature, as yours should."""

import hashlib
import hmac
import time
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

MAX_AGE_MS = 300_000  # an older request may be one that somebody recorded and plays back

CUSTOMERS = web.AppKey("customers", dict[str, Any])
SECRET = web.AppKey("secret", bytes)


def create_app(customers_file: Path, secret: str) -> web.Application:
    app = web.Application(client_max_size=64 * 1024)
    app[CUSTOMERS] = yaml.safe_load(customers_file.read_text(encoding="utf-8")) or {}
    app[SECRET] = secret.encode()
    app.router.add_post("/identity", identify)
    app.router.add_get("/health", health)
    return app


async def identify(request: web.Request) -> web.Response:
    body = await request.read()
    if not signed_by_engine(request, body):
        return web.json_response({"error": "bad signature"}, status=401)
    question = await request.json()
    known = request.app[CUSTOMERS].get(question["caller"]["number"])
    return web.json_response(known["answer"] if known else {"status": "not_found"})


async def health(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok", "customers": len(request.app[CUSTOMERS])})


def signed_by_engine(request: web.Request, body: bytes) -> bool:
    timestamp = request.headers.get("X-Hotline-Timestamp", "")
    signature = request.headers.get("X-Hotline-Signature", "")
    if not timestamp.isdecimal() or abs(time.time() * 1000 - int(timestamp)) > MAX_AGE_MS:
        return False
    expected = hmac.new(request.app[SECRET], timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature.encode(), f"sha256={expected}".encode())
