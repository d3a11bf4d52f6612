"""The ledger: carries the journal into the database, every entry once, however often either goes away.

An entry stays pending in the stream until its rows are committed, and its stream id is its primary key:
so a crash between commit and acknowledgement repeats a write that changes nothing.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import structlog
from redis.exceptions import ResponseError

from engine.journal.journal import stream_key
from engine.journal.stream import Entry, StreamDown, StreamReader
from engine.store.database import Database, DatabaseDown
from engine.store.last_said import said_row
from engine.store.left_behind import left_behind
from engine.store.rows import CallRow, storable_int, storable_text
from engine.store.writers import EventValues, Row

GROUP = "ledger"
BATCH = 500
GAP_S = 0.5
"""Between batches under load: twenty events a call cost far less CPU when written by the hundred."""
BLOCK_MS = 2_000
RETRY_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
ADOPT_EVERY_S = 30.0
ADOPT_IDLE_MS = 60_000
"""Entries that another engine's ledger took this long ago and did not finish are taken over."""

log = structlog.get_logger(__name__)


class Ledger:
    """Owns one task and one Redis connection; the database is lent to it."""

    def __init__(self, url: str, database: Database, *, consumer: str, domain: str = "default") -> None:
        """`consumer` names this engine among the ledgers of the domain, the same after a restart."""
        self._stream = stream_key(domain)
        self._consumer = consumer
        self._database = database
        self._reader = StreamReader(url, domain=domain)
        self._task: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()
        self._joined = False
        self._pending_first = True
        self._adopt_at = 0.0

    async def open(self) -> None:
        """Start to write, first what an earlier life of this consumer left pending."""
        self._task = asyncio.create_task(self._run(), name="ledger")

    async def close(self) -> None:
        """Stop at once; what is not written stays pending in the stream."""
        await self._stop()
        await self._reader.close()

    async def drain(self, deadline_s: float) -> bool:
        """Stop after writing all that is in the stream now; False when the deadline came first.

        To be called when the line that the journal posts on has sent everything. What is left is logged,
        stays in the stream, and is written by the next engine.
        """
        try:
            async with asyncio.timeout(deadline_s):
                async with self._writing:
                    await self._stop()
                self._pending_first = True
                while batch := await self._next(block=False):
                    await self._record(batch)
                return True
        except (TimeoutError, StreamDown, ResponseError) as error:
            log.warning("the journal is not all in the database yet: the rest waits in Redis", why=str(error))
            return False
        finally:
            await self._stop()

    async def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                batch = await self._next(block=True)
                if failures:
                    log.info("the ledger reads the journal again")
                failures = 0
                if batch:
                    await self._record(batch)
                if 0 < len(batch) < BATCH:
                    await asyncio.sleep(GAP_S)
            except StreamDown as error:
                self._pending_first = True
                if not failures:
                    log.warning("Redis is away: the ledger waits for it", why=str(error))
                await _back_off(failures)
                failures += 1
            except Exception:
                # Nothing else restarts this task, and no entry is lost by going on.
                self._pending_first = True
                if not failures:
                    log.exception("the ledger stumbled and starts over from its pending entries")
                await _back_off(failures + 3)
                failures += 1

    async def _next(self, *, block: bool) -> Sequence[Entry]:
        """Entries to write: ours that are still pending, then those of the dead, then new ones."""
        try:
            await self._join()
            if self._pending_first:
                if pending := await self._read("0", block=False):
                    return pending
                self._pending_first = False
            if abandoned := await self._adopt():
                return abandoned
            return await self._read(">", block=block)
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            # Redis came back empty: the group is made anew, and everything in the stream is new to it.
            self._joined = False
            return ()

    async def _join(self) -> None:
        if self._joined:
            return
        try:
            await self._reader.command("XGROUP", "CREATE", self._stream, GROUP, "0", "MKSTREAM")
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        self._joined = True

    async def _read(self, after: str, *, block: bool) -> Sequence[Entry]:
        wait = ("BLOCK", BLOCK_MS) if block else ()
        words = (
            "XREADGROUP",
            "GROUP",
            GROUP,
            self._consumer,
            "COUNT",
            BATCH,
            *wait,
            "STREAMS",
            self._stream,
            after,
        )
        reply = await self._reader.command(*words, wait_ms=BLOCK_MS if block else 0)
        return reply[0][1] if reply else ()

    async def _adopt(self) -> Sequence[Entry]:
        now = asyncio.get_running_loop().time()
        if now < self._adopt_at:
            return ()
        words = ("XAUTOCLAIM", self._stream, GROUP, self._consumer, ADOPT_IDLE_MS, "0-0", "COUNT", BATCH)
        entries: Sequence[Entry] = (await self._reader.command(*words))[1]
        if not entries:
            self._adopt_at = now + ADOPT_EVERY_S
        return entries

    async def _record(self, batch: Sequence[Entry]) -> None:
        """Write a batch, for as long as it takes, then acknowledge it."""
        events, rows = _rows(batch)
        async with self._writing:
            failures = 0
            while True:
                try:
                    await self._database.record(events, rows)
                    break
                except DatabaseDown as error:
                    if not failures:
                        log.warning("the database is away: events wait in Redis", why=str(error))
                    await _back_off(failures)
                    failures += 1
            if failures:
                log.info("the database is back: the waiting events are written", events=len(events))
            await self._reader.command("XACK", self._stream, GROUP, *(entry[0] for entry in batch))


async def _back_off(failures: int) -> None:
    await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])


def _rows(batch: Sequence[Entry]) -> tuple[list[EventValues], list[Row]]:
    events: list[EventValues] = []
    rows: list[Row] = []
    for stream_id, fields in batch:
        if not fields:
            log.error("an event left the stream before the database took it", id=stream_id.decode())
            continue
        payload = fields[1]
        try:
            data = orjson.loads(payload)
            event = _event_values(stream_id, data, payload.decode())
        except (ValueError, AttributeError):
            data = {"type": "unreadable", "entry": payload.decode("utf-8", "replace")}
            event = _event_values(stream_id, data, orjson.dumps(data).decode())
        events.append(event)
        if row := _row(event, data):
            rows.append(row)
    return events, rows


def _event_values(stream_id: bytes, data: dict[str, Any], text: str) -> EventValues:
    # A stream id begins with the millisecond at which Redis took the entry.
    at = data.get("at")
    at_ms = storable_int(at) if type(at) is int else int(stream_id.partition(b"-")[0])
    call_id, kind = str(data.get("call") or ""), str(data.get("type") or "")
    return stream_id.decode(), storable_text(call_id), at_ms, storable_text(kind), text


def _row(event: EventValues, data: dict[str, Any]) -> Row | None:
    """What an event puts into a table of its own."""
    _, call_id, at_ms, kind, _ = event
    if kind == "call.ended":
        return _call_row(event, data)
    return left_behind(kind, call_id, at_ms, data) or said_row(kind, at_ms, data)


def _call_row(event: EventValues, data: dict[str, Any]) -> CallRow | None:
    stream_id, call_id, at_ms, _, _ = event
    given = data.get("record")
    record = given if isinstance(given, dict) else {}
    known = {"id": call_id, "ended_ms": at_ms, "end_reason": data.get("reason", "")}
    try:
        return CallRow.from_record(known | record)
    except ValueError:
        log.warning("a call ended without an id: it has no row", event_id=stream_id)
        return None
