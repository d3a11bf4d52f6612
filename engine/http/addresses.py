"""Names that must not lead into the company's own network.

A host that the admin writes as an address, or as `localhost`, is meant. A name on the internet that suddenly leads
to 10.0.0.5 or 127.0.0.1 is somebody else's (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import socket

from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver


class PrivateAddress(OSError):  # noqa: N818 - the state of the name
    """The name leads to an address that is not on the internet."""


class PublicOnly(ThreadedResolver):
    """Resolves names to public addresses only. aiohttp does not ask it about what is an address already."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises PrivateAddress if any of the name's addresses is private, OSError if there is none."""
        found = await super().resolve(host, port, family)
        private = next((entry["host"] for entry in found if not _is_public(entry["host"])), None)
        if private is not None and host.rstrip(".") != "localhost":
            raise PrivateAddress(f"{host} leads to the private address {private}")
        return found


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address.split("%")[0]).is_global
