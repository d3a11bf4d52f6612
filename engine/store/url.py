"""From the URL that an admin writes to the one that SQLAlchemy's async drivers need."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

EXAMPLES = "sqlite:////var/lib/hotline/hotline.db or postgresql://user:password@host/hotline"


class BadDatabase(Exception):  # noqa: N818 - said to the admin, not to a programmer
    """The database cannot be used; the text is one sentence and its remedy."""


def async_url(text: str) -> URL:
    """The URL with its async driver; raises BadDatabase when it names no database that we can use."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise BadDatabase(f"The database URL cannot be read: write it like {EXAMPLES}.") from None
    if url.drivername in ("sqlite", "sqlite+aiosqlite"):
        return _sqlite(url)
    if url.drivername in ("postgresql", "postgres", "postgresql+asyncpg"):
        return _postgresql(url)
    raise BadDatabase(f"Databases of kind {url.drivername!r} are not supported: use {EXAMPLES}.")


def _sqlite(url: URL) -> URL:
    if url.host or not url.database or url.database == ":memory:":
        raise BadDatabase(
            "The ledger needs an SQLite file that outlives the engine: "
            "write its absolute path after three slashes, like sqlite:////var/lib/hotline/hotline.db."
        )
    return url.set(drivername="sqlite+aiosqlite")


def _postgresql(url: URL) -> URL:
    if not url.database:
        raise BadDatabase(
            "The PostgreSQL URL names no database: write it after the host, like "
            "postgresql://user:password@host/hotline."
        )
    # libpq's word for it, as hosting companies print it; asyncpg calls it ssl.
    query = {"ssl" if key == "sslmode" else key: value for key, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query)
