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
    wanted = _objects(phone)
    # Only what differs: an object written anew makes Asterisk qualify the phone afresh, and it is down meanwhile.
    stale = [kind for kind, fields in wanted.items() if not _is_in(fields, await _fields(ari, kind, phone.user))]
    for kind in stale:
        body = {"fields": [{"attribute": name, "value": value} for name, value in wanted[kind].items()]}
        await ari.http("PUT", f"{_OBJECTS}/{kind}/{phone.user}", body=body)
    return bool(stale)


def _is_in(wanted: Mapping[str, str], found: Mapping[str, str]) -> bool:
    # Where none is wanted, `contact` is where the phone has registered: an AOR written anew under a registered
    # phone is online for ever. What was a fixed contact once is known by its qualify_frequency.
    return all(found.get(name) == value for name, value in wanted.items() if (name, value) != ("contact", ""))


def _objects(phone: Phone) -> dict[str, dict[str, str]]:
    """The phone's PJSIP objects, each value in the form in which Asterisk gives it back."""
    user = phone.user
    aor = {"max_contacts": "1", "remove_existing": "true", "qualify_frequency": "30", "contact": ""}
    if phone.contact:
        aor = {"contact": phone.contact, "qualify_frequency": "0"}
    return {
        "auth": {"auth_type": "userpass", "username": user, "password": phone.password},
        "aor": aor,
        "endpoint": {
            "context": CONTEXT,
            "auth": user,
            "aors": user,
            "allow": "(alaw|ulaw)",
            "callerid": f'"{phone.name}" <{user}>',
            "dtmf_mode": "rfc4733",
            "direct_media": "false",
            "rtp_symmetric": "true",
            "force_rport": "true",
            "rewrite_contact": "true",
            "rtp_timeout": "60",
            "rtp_timeout_hold": "300",
            # A second call would ring into a conversation; with this the phone counts as busy at one.
            "device_state_busy_at": "1",
            # The INVITE already names the caller; a re-INVITE at the bridge would only say it again.
            "send_connected_line": "no",
        },
    }


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
