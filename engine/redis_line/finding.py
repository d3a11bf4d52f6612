"""Who serves us: the server itself, the one that Sentinel names, or the cluster's node that has our domain's slot."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Sequence
from typing import Any

from redis.exceptions import ResponseError

from engine.redis_line.url import Kind, Server, parse
from engine.redis_line.wire import Argument, LineDown, Refused, Wire

# How long one of several servers may take to answer, in seconds: the others wait behind it.
_ONE_OF_MANY_S = 1.0
_REDIRECTIONS = 5
# https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#moved-redirection; the host is empty or
# `?` where it is that of the node which says so.
_MOVED = re.compile(r"MOVED \d+ (\S*):(\d+)")


class Finder:
    """Finds the server that serves a routing domain, and opens a connection to it."""

    def __init__(self, url: str, *, domain: str, deadline_s: float) -> None:
        """Raises BadRedisUrl."""
        self._url = url_ = parse(url)
        self._servers = list(url_.servers)
        self._limit_s = min(deadline_s, _ONE_OF_MANY_S) if url_.kind else deadline_s
        self._tls = ssl.create_default_context() if url_.tls else None
        login: list[tuple[Argument, ...]] = []
        if url_.password:
            login.append(("AUTH", url_.user, url_.password))
        if url_.database:
            login.append(("SELECT", url_.database))
        # A write that changes nothing, for this key never exists: it is refused, or sent elsewhere, by whichever
        # server would refuse the functions of our domain, which name the same key.
        self._greeting = [*login, ("PERSIST", f"hotline:{{{domain}}}")]

    async def connect(self) -> Wire:
        """A connection that has logged in and can be written to. Raises LineDown, naming who was asked."""
        ways = {Kind.PLAIN: self._greet, Kind.SENTINEL: self._by_sentinel, Kind.CLUSTER: self._by_node}
        faults: list[str] = []
        for server in tuple(self._servers):
            try:
                wire = await ways[self._url.kind](server)
            except LineDown as fault:
                faults.append(str(fault))
                continue
            # Who could help is asked first the next time.
            self._servers.remove(server)
            self._servers.insert(0, server)
            return wire
        raise LineDown("; ".join(dict.fromkeys(faults)))

    async def _greet(self, server: Server) -> Wire:
        wire, _ = await self._talk(server, self._greeting)
        return wire

    async def _by_sentinel(self, sentinel: Server) -> Wire:
        """https://redis.io/docs/latest/develop/reference/sentinel-clients/"""
        url = self._url
        words: list[tuple[Argument, ...]] = [("SENTINEL", "GET-MASTER-ADDR-BY-NAME", url.master)]
        if url.sentinel_password:
            words.insert(0, ("AUTH", url.sentinel_user, url.sentinel_password))
        wire, address = await self._talk(sentinel, words)
        wire.close()
        if not address:
            raise LineDown(f"Sentinel at {sentinel} watches no master {url.master!r}")
        master = Server(address[0], int(address[1]))
        wire, role = await self._talk(master, [*self._greeting, ("ROLE",)])
        if role[0] != "master":
            wire.abort()
            raise LineDown(f"Redis at {master}, which Sentinel at {sentinel} names the master, is a {role[0]}")
        return wire

    async def _by_node(self, node: Server) -> Wire:
        """No slot is computed and no map of the cluster kept: any node says who has our key.

        ASK is not followed. While a slot moves, its keys are at two nodes, and a function that ran at the new one
        would find a domain without agents, and begin another. So our commands wait until the slot has moved.
        """
        for _ in range(_REDIRECTIONS):
            try:
                return await self._greet(node)
            except Refused as refusal:
                moved = _MOVED.search(str(refusal))
                if moved is None:
                    raise
                host = node.host if moved[1] in ("", "?") else moved[1].strip("[]")
                node = Server(host, int(moved[2]))
        raise LineDown(f"the nodes of the cluster disagree about who serves us; the last one named is {node}")

    async def _talk(self, server: Server, commands: Sequence[tuple[Argument, ...]]) -> tuple[Wire, Any]:
        """A connection to this server, and its answer to the last of the commands."""
        wire = Wire(str(server))
        answer: Any = None
        try:
            async with asyncio.timeout(self._limit_s):
                await self._dial(wire, server)
                for command in commands:
                    answer = await wire.ask(*command)
        except BaseException as fault:
            wire.abort()
            if isinstance(fault, OSError | TimeoutError | ResponseError | LineDown):
                kind = Refused if isinstance(fault, Refused) else LineDown
                raise kind(f"Redis at {server}: {fault or 'no answer'}") from fault
            raise
        return wire, answer

    async def _dial(self, wire: Wire, server: Server) -> None:
        loop = asyncio.get_running_loop()
        if server.path:
            await loop.create_unix_connection(lambda: wire, server.path)
        else:
            await loop.create_connection(lambda: wire, server.host, server.port, ssl=self._tls)
