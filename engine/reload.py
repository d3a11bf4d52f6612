"""Another version of the site, while calls go on: whoever is in a call keeps theirs, the next caller gets the new one.

Everything is checked before anything is touched; then what can fail (Redis) comes before what cannot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from engine import fittings
from engine.asterisk.ari import AriError, AriRefused
from engine.call.record import now_ms
from engine.config import site as sites
from engine.config.check import Finding, errors, warning
from engine.config.site import Site
from engine.config.source import Fault, SiteError
from engine.host.state import CannotRun
from engine.http.self_service import SelfService
from engine.identity.attempts import Attempts
from engine.identity.endpoint import Identity, NoIdentity
from engine.journal.events import ConfigLoaded
from engine.redis_line import LineDown

if TYPE_CHECKING:
    from engine.app import Engine

log = structlog.get_logger()

# Longer than any look-up or request may take: then nobody asks the former endpoint any more.
LINGER_S = 40.0

# Which of Asterisk's modules read a file: what stands at its beginning, the modules in the order of reloading.
# Source: res_pjsip's own reload does not reach the identifiers and registrations.
_READERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("dialplan/", ("pbx_config.so",)),
    ("asterisk_conf/extensions.conf", ("pbx_config.so",)),
    ("sip_trunks/", ("res_pjsip.so", "res_pjsip_endpoint_identifier_ip.so", "res_pjsip_outbound_registration.so")),
    ("asterisk_conf/pjsip.conf", ("res_pjsip.so", "res_pjsip_endpoint_identifier_ip.so")),
    ("asterisk_conf/queues.conf", ("app_queue.so",)),
    ("asterisk_conf/musiconhold.conf", ("res_musiconhold.so",)),
)


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload has done. `undone`: what could not be, each with its remedy."""

    before: str
    version: str
    warnings: Sequence[Finding]
    modules: Sequence[str]
    undone: Sequence[str]

    def data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "before": self.before,
            "version": self.version,
            "warnings": [str(finding) for finding in self.warnings],
            "modules": self.modules,
            "undone": self.undone,
        }


class Reloading:
    """Swaps an engine's site; one reload at a time."""

    def __init__(self, of: Engine) -> None:
        self._engine = of
        self._one = asyncio.Lock()
        self.since_ms = now_ms()
        """Since when the present version is in force."""

    async def told_to(self) -> None:
        """By a signal: whoever sent it reads the log."""
        try:
            await self.reload()
        except SiteError as faulty:
            for fault in faulty.faults:
                log.error("config.faulty", fault=str(fault), effect="nothing has changed")  # noqa: TRY400 - said in full
        except LineDown as error:
            log.error("config.not_loaded", error=str(error), effect="nothing has changed")  # noqa: TRY400

    async def reload(self) -> Reloaded:
        """Reads the site's folder again and uses it. Raises SiteError and LineDown, and has then changed nothing."""
        async with self._one:
            before = self._engine.board.site
            site, warnings = await asyncio.to_thread(_validated, before)
            await self._use(site, before)
            undone = [*await self._seat(), *_restart_for(site.conf, before.conf)]
            modules = [*_modules(site.conf, before.conf)]
            undone += [said for module in modules if (said := await self._reload_module(module))]
            await self._compare()
            self.since_ms = now_ms()
            self._engine.journal.append(ConfigLoaded("", self.since_ms, version=site.version))
            log.info("config.loaded", version=site.version, before=before.version, undone=undone)
            return Reloaded(before.version, site.version, warnings, modules, undone)

    async def _use(self, site: Site, before: Site) -> None:
        """The swap. Raises SiteError, LineDown before anything has changed."""
        engine, state = self._engine, self._engine.settings.state
        try:
            secret = fittings.shared_secret(site, state)
            identity, messages = fittings.identity(site, state), fittings.messages(site, state)
        except (OSError, ValueError, CannotRun) as error:
            raise SiteError([Fault("dialplan/hotline.yaml", 1, 1, f"a secret cannot be used: {error}")]) from error
        scripts = engine.scripts(site)
        await engine.staff(site)
        if site.hotline.identity != before.hotline.identity or secret != fittings.shared_secret(before, state):
            await self._ask_others(identity, secret)
        engine.courier.endpoint = messages
        engine.mailboxes.keep_s = site.hotline.voicemail.keep
        engine.node.sound = site.sound
        engine.board.site = site
        if engine.agi is not None:
            engine.agi.use(*scripts)

    async def _ask_others(self, identity: Identity | NoIdentity, secret: str) -> None:
        """From now on; who is being asked just now may finish the answer."""
        engine = self._engine
        former = (engine.identity, engine.self_service)
        self_service = SelfService(secret)
        await self_service.open()
        await identity.open()
        engine.identity, engine.self_service = identity, self_service
        engine.services.identity, engine.services.http = identity, self_service
        engine.services.attempts = Attempts(engine.line, secret)
        engine.chores.begin(_close_later(former))

    async def _seat(self) -> list[str]:
        engine = self._engine
        engine.seats()
        try:
            await engine.seat()
        except AriError as error:
            return [f"the phones are as they were: {error}; `hotline reload` again when Asterisk answers"]
        return []

    async def _compare(self) -> None:
        """Whoever waits for the agents of this version is served by it. An agent whom a former one had removed is new
        to the ACD, and we may have told of their phone and their program before that."""
        engine = self._engine
        try:
            await engine.phones.again(await engine.acd.agents())
            await engine.items.presence.again()
            for room in (engine.callbacks, engine.items):
                await room.site_changed()
        except LineDown:  # the version is in force: this is done once Redis answers
            engine.rebuilding.back()

    async def _reload_module(self, module: str) -> str:
        """What went wrong; "" if nothing. A module that this Asterisk does not have reads no file either."""
        try:
            await self._engine.node.ari.http("PUT", f"asterisk/modules/{module}")
        except AriError as error:
            if isinstance(error, AriRefused) and error.status == 404:
                return ""
            return f"Asterisk did not reload {module}: {error}"
        return ""


def _validated(before: Site) -> tuple[Site, list[Finding]]:
    """The site as it is in its folder now. Raises SiteError."""
    from engine.config.check_site import look

    site = sites.load(before.folder)
    findings = look(site)
    if site.conf != before.conf:
        findings += _asterisks_word(site.folder)
    if faults := list(errors(findings)):
        raise SiteError(faults)
    return site, findings


def _asterisks_word(folder: Path) -> list[Finding]:
    from engine.host.rehearsal import rehearse

    try:
        return rehearse(folder)
    except CannotRun as why:
        return [warning(Fault("asterisk_conf", 1, 1, f"the .conf files are not checked: {why}"))]


def _changed(now: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    return [name for name in sorted({*now, *before}) if now.get(name) != before.get(name)]


def _modules(now: Mapping[str, str], before: Mapping[str, str]) -> Iterator[str]:
    """Those that read what has changed, each once."""
    changed = _changed(now, before)
    named = (module for start, modules in _READERS if any(n.startswith(start) for n in changed) for module in modules)
    yield from dict.fromkeys(named)


def _restart_for(now: Mapping[str, str], before: Mapping[str, str]) -> Iterator[str]:
    for name in _changed(now, before):
        if not any(name.startswith(start) for start, _ in _READERS):
            yield f"{name} has changed: Asterisk reads it when it starts; restart `hotline up` when it suits you"


async def _close_later(former: Sequence[Identity | NoIdentity | SelfService]) -> None:
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(LINGER_S)
    for each in former:
        await each.close()
