"""What must outlive the process: a call's record, kept in Redis while the call lasts."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog

from engine.acd.offer import TREATMENTS, Missed
from engine.call.phase import Phase, check
from engine.flow.steps.base import Away, ToNumber, read_departure
from engine.journal.events import CallArrived
from engine.redis_line import RedisLine
from engine.store.rows import CallRow, EndReason

log = structlog.get_logger()

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def now_ms() -> int:
    """The wall clock, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def new_call_id() -> str:
    """Sortable by time, unique for ever: nine digits of milliseconds (until 3084) and five of chance, base 32."""
    number = (now_ms() << 25) | secrets.randbits(25)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(65, -1, -5))


@dataclass(frozen=True, slots=True)
class Announced:
    """What a waiting caller was told last, in whichever queue: their place, by when they expect somebody (epoch
    milliseconds, None when that was not said), and the prompts of that and of the keys."""

    place: int = 0
    by_ms: int | None = None
    wait: str = ""
    keys: str = ""


@dataclass(slots=True)
class CallRecord:
    """One call as far as a successor must know it. Moments are epoch milliseconds, None until they come.

    `item`: what the ACD knows it by, where that is not its id; `callback`: that we have made, as it is in the database.
    `announced`: None before the first word, and again after a conversation.
    `inherited_ms`: since when the place counts that they took over, from a callback or from a call that broke off.
    """

    id: str
    channel: str
    dialled: str
    number: str = ""
    raw: str = ""
    presentation: str = ""
    area: str = ""
    carrier: str = ""
    trunk: str = ""
    language: str = "zh-CN"
    config_version: str = ""
    phase: Phase = Phase.FLOW
    flow: str = ""
    step: str = ""
    errand: list[str] = field(default_factory=list)
    callers: list[tuple[str, str] | None] = field(default_factory=list)
    visits: int = 0
    away: Away | None = None
    flow_path: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    customer_name: str = ""
    tier: str = ""
    head_start_s: float = 0.0
    strict: int = 0
    queue: str = ""
    agent: str = ""
    agent_channel: str = ""
    outside: str = ""
    outside_trunk: str = ""
    bridge: str = ""
    arrived_ms: int = 0
    answered_ms: int | None = None
    queued_ms: int | None = None
    inherited_ms: int | None = None
    connected_ms: int | None = None
    talking_since_ms: int | None = None
    talked_ms: int = 0
    ring_ms: int = 0
    offers: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    announced: Announced | None = None
    item: str = ""
    callback: str = ""

    def go(self, phase: Phase) -> None:
        """Enters a phase. Raises IllegalTransition."""
        check(self.phase, phase)
        self.phase = phase

    @property
    def item_id(self) -> str:
        """What the ACD knows the call by."""
        return self.item or self.id

    @property
    def placed_ms(self) -> int | None:
        """Since when they count as waiting; `queued_ms` is since when they are."""
        return self.inherited_ms or self.queued_ms

    @property
    def is_outside(self) -> bool:
        """Whether it goes to somebody whom no queue decides, or is there."""
        return isinstance(self.away, ToNumber)

    def missed_by(self, agent: str, why: Missed, at_ms: int) -> None:
        """For as long as the ACD keeps this agent from this caller, so do the queues that the caller goes to next."""
        self.excluded = {user: till for user, till in self.excluded.items() if till > at_ms}
        self.excluded[agent] = at_ms + round(TREATMENTS[why].exclude_s * 1000)

    def excluding(self, at_ms: int) -> dict[str, int]:
        """Who is not to have this caller, and for how many ms yet."""
        return {user: till - at_ms for user, till in self.excluded.items() if till > at_ms}

    def talk_ends(self, at_ms: int) -> None:
        """One of the two has left the conversation."""
        if self.talking_since_ms is not None:
            self.talked_ms += at_ms - self.talking_since_ms
            self.talking_since_ms = None

    def arrived(self) -> CallArrived:
        """The call's first event."""
        return CallArrived(
            self.id,
            self.arrived_ms,
            number=self.number,
            dialled=self.dialled,
            raw=self.raw,
            presentation=self.presentation,
            area=self.area,
            carrier=self.carrier,
            trunk=self.trunk,
            channel=self.channel,
            callback=self.callback,
        )

    def row(self, reason: EndReason, ended_ms: int) -> CallRow:
        """The call's one row in the database."""
        served = self.connected_ms or ended_ms
        return CallRow(
            id=self.id,
            dialled=self.dialled,
            number=self.number,
            presentation=self.presentation,
            area=self.area,
            customer_name=self.customer_name,
            tier=self.tier,
            flow_path=tuple(self.flow_path),
            queue=self.queue,
            agent=self.agent if self.connected_ms else "",
            outside=self.outside,
            direction="callback" if self.callback else "in",
            arrived_ms=self.arrived_ms,
            answered_ms=self.answered_ms,
            queued_ms=self.queued_ms,
            connected_ms=self.connected_ms,
            ended_ms=ended_ms,
            wait_ms=served - self.queued_ms if self.queued_ms else 0,
            ring_ms=self.ring_ms,
            talk_ms=self.talked_ms + (ended_ms - self.talking_since_ms if self.talking_since_ms else 0),
            offers=self.offers,
            end_reason=reason,
        )


class Records:
    """The records of the calls that one engine holds."""

    def __init__(self, line: RedisLine, engine: str, domain: str = "default") -> None:
        self._line = line
        self._prefix = f"hotline:{{{domain}}}:call:"
        self._index = f"hotline:{{{domain}}}:calls:{engine}"

    def open(self, record: CallRecord) -> None:
        """From now on a successor will find this call."""
        self._line.post("SADD", self._index, record.id)
        self.save(record)

    def save(self, record: CallRecord) -> None:
        """Writes the record in the order of the call's other commands; nobody waits for it."""
        self._line.post("SET", self._prefix + record.id, orjson.dumps(record))

    def save_now(self, record: CallRecord) -> None:
        """save(), without waiting for company."""
        self.save(record)
        self._line.flush()

    def close(self, record: CallRecord) -> None:
        """The call has ended and its row is in the journal."""
        self._line.post("DEL", self._prefix + record.id)
        self._line.post("SREM", self._index, record.id)

    async def held(self) -> list[CallRecord]:
        """The calls that this engine held when it last wrote. Raises LineDown."""
        ids: list[str] = sorted(await self._line.call("SMEMBERS", self._index))
        if not ids:
            return []
        texts = await self._line.call("MGET", *[self._prefix + i for i in ids])
        records = []
        for call_id, text in zip(ids, texts, strict=True):
            try:
                data = orjson.loads(text)
                records.append(_read(data))
            except (TypeError, ValueError, KeyError) as error:
                # A record of another version, or half a write: the channel itself is found among the strangers.
                log.warning("record.unreadable", call=call_id, error=str(error))
                self._line.post("SREM", self._index, call_id)
        return records


def _read(data: dict[str, Any]) -> CallRecord:
    callers = [place and (place[0], place[1]) for place in data.pop("callers")]
    away, announced = data.pop("away"), data.pop("announced", None)
    return CallRecord(
        **{**data, "phase": Phase(data["phase"])},
        callers=callers,
        away=read_departure(away) if away else None,
        announced=Announced(**announced) if announced else None,
    )
