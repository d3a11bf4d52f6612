"""Agents' phones in Asterisk, through ARI's dynamic PJSIP configuration: no file, no reload.

Source: Asterisk documentation, "ARI Push Configuration". asterisk_conf/sorcery.conf keeps what is written
here in Asterisk's own database, so the phones outlive a restart of Asterisk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from engine.asterisk.ari import Ari, AriRefused

log = structlog.get_logger()

CONTEXT = "from-phones"
_OBJECTS = "asterisk/config/dynamic/res_pjsip"


@dataclass(frozen=True, slots=True)
class Phone:
    """What a phone needs to register; with a `contact` it is reached there without registering."""

    user: str
    name: str
    password: str
    contact: str | None = None


async def provision(ari: Ari, phones: Mapping[str, Phone]) -> None:
    """Makes Asterisk's phones equal to `phones`: writes those that differ, removes those of former agents.

    Raises AriError.
    """
    some = asyncio.Semaphore(8)

    async def one(phone: Phone) -> bool:
        async with some:
            return await _write(ari, phone)

    written = sum(await asyncio.gather(*map(one, phones.values())))
    there = {endpoint["resource"] for endpoint in await ari.http("GET", "endpoints/PJSIP")}
    removed = [user for user in sorted(there - set(phones)) if await _remove(ari, user)]
    log.info("phones.provisioned", phones=len(phones), written=written, removed=removed)


async def _write(ari: Ari, phone: Phone) -> bool:
    user = phone.user
    aor = {"max_contacts": "1", "remove_existing": "yes", "qualify_frequency": "30"}
    if phone.contact:
        aor = {"contact": phone.contact, "qualify_frequency": "0"}
    wanted = {
        "auth": {"auth_type": "userpass", "username": user, "password": phone.password},
        "aor": aor,
        "endpoint": {
            "context": CONTEXT,
            "auth": user,
            "aors": user,
            "disallow": "all",
            "allow": "!all,alaw,ulaw",
            "callerid": f"{phone.name} <{user}>",
            "dtmf_mode": "rfc4733",
            "direct_media": "no",
            "rtp_symmetric": "yes",
            "force_rport": "yes",
            "rewrite_contact": "yes",
            "rtp_timeout": "60",
            "rtp_timeout_hold": "300",
            # A second call would ring into a conversation; with this the phone counts as busy at one.
            "device_state_busy_at": "1",
            "send_pai": "yes",
        },
    }
    if await _same(ari, user, wanted):
        return False
    for kind, fields in wanted.items():
        body = {"fields": [{"attribute": name, "value": value} for name, value in fields.items()]}
        await ari.http("PUT", f"{_OBJECTS}/{kind}/{user}", body=body)
    return True


async def _same(ari: Ari, user: str, wanted: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether the phone is as it should be. Writing it anew would drop its registration."""
    told = ("auth_type", "qualify_frequency", "allow", "disallow", "auth", "aors")  # normalised on the way back
    for kind, fields in wanted.items():
        found = await _fields(ari, kind, user)
        if any(found.get(name) != value for name, value in fields.items() if name not in told and name != "contact"):
            return False
    return True


async def _fields(ari: Ari, kind: str, user: str) -> dict[str, str]:
    try:
        found: list[dict[str, Any]] = await ari.http("GET", f"{_OBJECTS}/{kind}/{user}")
    except AriRefused:
        return {}
    return {field["attribute"]: field["value"] for field in found}


async def _remove(ari: Ari, user: str) -> bool:
    """Removes a former agent's phone; endpoints that stand in files are not ours to remove."""
    if (await _fields(ari, "endpoint", user)).get("context") != CONTEXT:
        return False
    try:
        for kind in ("endpoint", "aor", "auth"):
            await ari.http("DELETE", f"{_OBJECTS}/{kind}/{user}")
    except AriRefused:
        return False
    return True
