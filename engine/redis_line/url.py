"""What an admin writes to say where Redis is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

PORT = 6379
SENTINEL_PORT = 26379
EXAMPLES = (
    "redis://[user:password@]host:port/0, unix:///path/redis.sock?db=0, "
    "redis+sentinel://[user:password@]host:port,host:port/master-name/0 or "
    "redis+cluster://[user:password@]host:port,host:port (rediss… for TLS)"
)

# urlsplit refuses several hosts where one of them is an IPv6 address.
_URL = re.compile(r"(?P<scheme>[a-z+]+)://(?P<where>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<options>[^#]*))?")
_SERVER = re.compile(r"(?:\[(?P<ipv6>[^\[\]]+)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?")


class BadRedisUrl(ValueError):  # noqa: N818 - said to the admin, not to a programmer
    """The URL names no Redis that can be used; the text is one sentence and its remedy, without the password."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The Redis URL {what}: write it like {EXAMPLES}.")


class Kind(StrEnum):
    """Whom the servers of a URL are, and so how the one that serves us is found."""

    PLAIN = ""
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


class Server(NamedTuple):
    """One address: TCP, or a Unix socket where there is a `path`."""

    host: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.path or f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """A URL, read. `master` is the name that Sentinel knows it by; the sentinels' own password is seldom set."""

    kind: Kind
    servers: tuple[Server, ...]
    tls: bool = False
    user: str = "default"
    password: str = field(default="", repr=False)
    database: int = 0
    master: str = ""
    sentinel_user: str = "default"
    sentinel_password: str = field(default="", repr=False)


def parse(text: str) -> RedisUrl:
    """Raises BadRedisUrl."""
    url = _URL.fullmatch(text)
    if url is None:
        raise BadRedisUrl("cannot be read (a ? or # in a password is written %3F or %23)")
    scheme, _, kind = url["scheme"].partition("+")
    login, _, where = url["where"].rpartition("@")
    user, _, password = login.partition(":")
    options = dict(parse_qsl(url["options"] or ""))
    if scheme == "unix" and not kind:
        if where or not url["path"]:
            raise BadRedisUrl("names no socket by its absolute path, unix:///run/redis.sock")
        servers: tuple[Server, ...] = (Server("", 0, unquote(url["path"])),)
        master, database = "", ""
    elif scheme in ("redis", "rediss") and kind in tuple(Kind):
        servers = _servers(where, Kind(kind))
        master, database = _path(url["path"], Kind(kind))
    else:
        raise BadRedisUrl(f"is of the kind {url['scheme']!r}, which Hotline does not know")
    read = RedisUrl(
        kind=Kind(kind),
        servers=servers,
        tls=scheme == "rediss",
        user=unquote(user) or "default",
        password=unquote(password),
        database=_database(options.pop("db", database), Kind(kind)),
        master=master,
        sentinel_user=options.pop("sentinel_user", "default"),
        sentinel_password=options.pop("sentinel_password", ""),
    )
    if options:
        raise BadRedisUrl(f"has the option {next(iter(options))!r}, which Hotline does not know")
    return read


def _servers(where: str, kind: Kind) -> tuple[Server, ...]:
    port = SENTINEL_PORT if kind is Kind.SENTINEL else PORT
    servers = tuple(_server(one.strip(), port) for one in where.split(","))
    if kind is Kind.PLAIN and len(servers) > 1:
        raise BadRedisUrl("names several servers without saying whether they are sentinels or a cluster")
    return servers


def _server(text: str, default_port: int) -> Server:
    read = _SERVER.fullmatch(text)
    port = int(read["port"] or default_port) if read else 0
    if read is None or not 0 < port < 65536:
        raise BadRedisUrl(f"names the server {text!r}, which is no host:port")
    return Server(read["ipv6"] or unquote(read["host"]) or "127.0.0.1", port)


def _path(path: str, kind: Kind) -> tuple[str, str]:
    """The master's name and the number of the database."""
    if kind is not Kind.SENTINEL:
        return "", path.strip("/")
    master, _, database = path.strip("/").partition("/")
    if not master:
        raise BadRedisUrl("does not name the master that the sentinels watch")
    return unquote(master), database


def _database(text: str, kind: Kind) -> int:
    if not (text or "0").isdecimal():
        raise BadRedisUrl(f"has the database {text!r}, which is no number")
    database = int(text or 0)
    if database and kind is Kind.CLUSTER:
        raise BadRedisUrl("has a database number, and a cluster has none but 0")
    return database
