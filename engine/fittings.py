"""What the rooms are given of a site: with whom they speak, by which secrets, and whose phones there are."""

from __future__ import annotations

from pathlib import Path

from engine.asterisk.provisioning import Phone
from engine.config.site import Site
from engine.host.state import CannotRun, State
from engine.identity.endpoint import Identity, NoIdentity
from engine.messages import Endpoint


def identity(site: Site, state: State) -> Identity | NoIdentity:
    """The endpoint that knows the callers, not opened yet. Raises CannotRun for one that cannot be used."""
    settings = site.hotline.identity
    if settings is None:
        return NoIdentity()
    secret = shared_secret(site, state)
    try:
        return Identity(settings.url, secret, deadline_s=settings.deadline, fresh_s=settings.cache)
    except ValueError as error:  # what HOTLINE_IDENTITY_URL says is in no file that could have been checked
        raise CannotRun(str(error)) from None


def shared_secret(site: Site, state: State) -> str:
    """What the hotline and the company's own endpoints both know."""
    settings = site.hotline.identity
    return _secret(settings.secret_file if settings else None, state, "identity")


def messages(site: Site, state: State) -> Endpoint | None:
    """Where messages go."""
    settings = site.hotline.messages
    if settings is None:
        return None
    secret = _secret(settings.secret_file, state, "messages")
    return Endpoint(settings.url, secret, settings.deadline, settings.give_up_after)


def _secret(file: str | None, state: State, name: str) -> str:
    if not file:
        return state.secret(name)
    try:
        secret = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotRun(f"{name}.secret_file in dialplan/hotline.yaml cannot be read: {error}") from None
    if not secret:
        raise CannotRun(f"{file} is empty; write the secret into it that the endpoint has ({name}.secret_file)")
    return secret


def phones(site: Site, state: State) -> dict[str, Phone]:
    """What every phone registers with."""
    return {
        user: Phone(user, owner.name, owner.password or state.secret(f"phone-{user}"), owner.contact)
        for user, owner in site.phones().items()
    }
