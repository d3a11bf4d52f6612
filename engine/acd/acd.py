"""Who answers: the typed face of the ACD's Redis functions.

Each method is one FCALL, atomic in Redis. Whatever offers a call brings about, for this item or any other of
this engine, come back in its reply and go to `on_offer` before the awaiting task wakes, even if that task was
cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
import structlog
from redis.exceptions import ResponseError

from engine.acd.library import library, load
from engine.acd.offer import Missed
from engine.acd.requirements import Requirement, Skills, parse
from engine.acd.states import (
    AgentState,
    Device,
    Intent,
    ItemState,
    Offer,
    Placement,
    QueueState,
    Work,
)
from engine.redis_line import Argument, LineDown, RedisLine, Sink

log = structlog.get_logger("acd")

_LONGEST_SLEEP_S = 1.0  # between ticks: timers that other engines set are found at the latest after this
_MAILBOX_BLOCK_S = 5
_PAGE = 200
_UNKNOWN_REQUIREMENT = -1
_ITEM_STATES = {"waiting": "waiting", "offered": "offered", "ringing": "offered", "accepted": "talking"}


class UnknownAgent(LookupError):  # noqa: N818 - reads like UnknownPrompt and its kin
    """No agent of this id was defined."""


class Acd:
    """One routing domain, seen by one engine. Every method raises LineDown when Redis does not answer."""

    def __init__(
        self,
        line: RedisLine,
        *,
        domain: str = "default",
        engine: str,
        on_offer: Callable[[Offer], None],
        clock: Callable[[], int] | None = None,
    ) -> None:
        """`on_offer` must not block. `clock` (ms) replaces Redis' own clock: for tests with virtual time."""
        self._line = line
        self._engine = engine
        self._on_offer = on_offer
        self._clock = clock
        self._key = f"hotline:{{{domain}}}"
        self._library = library()
        self._agents: dict[str, Skills] = {}
        self._interned: dict[str, Requirement] = {}
        self._mail = RedisLine(line.url, deadline_s=_MAILBOX_BLOCK_S + 3.0)
        self._tasks: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._next_tick = 0.0

    async def open(self) -> None:
        """Loads the function library, then ticks and reads the mailbox until closed."""
        await self.load()
        await self._mail.open()
        self._tasks = [
            asyncio.create_task(self._tick_on_time(), name="acd-tick"),
            asyncio.create_task(self._read_mailbox(), name="acd-mailbox"),
        ]

    async def load(self) -> None:
        """Puts the function library into Redis; `open` without the background."""
        await load(self._line)

    async def close(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._mail.close(drain=False)

    # --- items ---------------------------------------------------------------------------------------------

    async def enqueue(
        self,
        item: str,
        *,
        queue: str,
        requirement: str,
        kind: str = "voice",
        head_start_ms: int = 0,
        wrapup_ms: int,
        lease_ms: int,
        preferred: str | None = None,
    ) -> Placement:
        """Puts the item in line, or offers it at once when an agent is ready.

        That offer is in the Placement and not also given to `on_offer`. Idempotent by item id: repeated, it
        tells the same again. A task that is cancelled here must withdraw.

        `lease_ms`: an offer that nobody reports on for so long is taken back; longer than the ring limit.
        Raises RequirementError.
        """
        wanted = parse(requirement)
        rid = f"{kind}.{wanted.id}"
        arguments = (item, queue, rid, head_start_ms, lease_ms, wrapup_ms, preferred or "")
        reply = await self._ask("enqueue", *arguments, sink=self._note_due)
        if reply[0] == _UNKNOWN_REQUIREMENT:
            await self._intern(rid, wanted)
            reply = await self._ask("enqueue", *arguments, sink=self._note_due)
        return Placement(reply[0], Offer(*reply[2]) if len(reply) > 2 else None)

    async def position(self, item: str) -> int:
        """1-based among the waiting of its queue; 0 while it is offered or talking; -1 if unknown."""
        reply = await self._ask("position", item)
        return int(reply[0])

    async def ringing(self, token: str) -> bool:
        """The agent's phone rings. False: stale, hang the agent's leg up."""
        return await self._done("ringing", token)

    async def accept(self, token: str) -> bool:
        """The agent answered. False: stale, hang the agent's leg up. True again when repeated."""
        return await self._done("accept", token)

    async def miss(
        self,
        token: str,
        reason: Missed,
        *,
        cause: int | None = None,
        tech_cause: int | str | None = None,
        ring_ms: int,
    ) -> bool:
        """The offer ended without a conversation: the item is at its place again, or offered to the next.

        False: stale, or a reason that the offer's state does not allow (only FAILED and DUMPED after accept).
        """
        optional = ("" if value is None else str(value) for value in (cause, tech_cause))
        return await self._done("miss", token, reason.value, *optional, ring_ms)

    async def withdraw(self, item: str, reason: str) -> bool:
        """The caller left, or the flow took the item out, before an agent accepted.

        False: unknown (gone already), or accepted: `leave` ends that.
        """
        return await self._done("withdraw", item, reason)

    async def leave(self, item: str, *, reason: str) -> bool:
        """The agent's leg left: the item ends, wrap-up starts. False: unknown, or nobody accepted it."""
        return await self._done("leave", item, reason)

    async def adopt(self, engine: str | None = None) -> list[ItemState]:
        """The items of `engine` (default: ours, from before a restart), which are ours from now on.

        An offer among them is taken up with its token: accept, miss or withdraw it.
        """
        reply = await self._ask("adopt", engine or self._engine)
        return [
            ItemState(id_, queue, _ITEM_STATES[state], agent, token, int(attempt), int(at))  # type: ignore[arg-type]
            for id_, queue, state, agent, token, attempt, at in reply[0]
        ]

    # --- agents --------------------------------------------------------------------------------------------

    async def define(self, agents: Mapping[str, Skills], requirements: Iterable[str], *, kind: str = "voice") -> None:
        """These are the agents, and these requirements will be asked for: at start and at every reload.

        A new agent is logged out with the device down; a known one keeps intent, device and work; one that is
        missing here is removed, after the item at hand. Raises RequirementError; ValueError for an id.
        """
        for agent in agents:
            if not agent or any(letter in " =" or not letter.isprintable() for letter in agent):
                raise ValueError(f"agent id {agent!r}: it must have no spaces and no `=`")
        wanted = {f"{kind}.{(parsed := parse(text)).id}": parsed for text in requirements}
        self._agents = dict(agents)
        await self._define_all(wanted)

    async def agent(
        self,
        agent: str,
        *,
        intent: Intent | None = None,
        reason: str = "",
        device: Device | None = None,
    ) -> None:
        """Sets what changed of intent (with its reason) and device; repeating a state is harmless.

        Work is never touched: an agent who logs out while ringing or talking finishes that item.
        Raises UnknownAgent.
        """
        if not await self._done("agent", agent, intent or "", reason, device or ""):
            raise UnknownAgent(f"agent {agent!r} is not defined")

    async def agents(self) -> list[AgentState]:
        """Every agent in the order of their ids, read in slices: for people, not for routing."""
        found: list[AgentState] = []
        while True:
            reply = await self._ask("agents", len(found), len(found) + _PAGE - 1)
            found += [_agent_state(row) for row in reply[0]]
            if len(reply[0]) < _PAGE:
                return found

    async def look_at(self, agent: str) -> AgentState | None:
        """One agent as they are now; None when no agent of this id was defined."""
        reply = await self._ask("look_at", agent)
        return _agent_state(reply[0]) if reply[0] else None

    async def queues(self) -> list[QueueState]:
        """Every queue that ever had an item, by name."""
        reply = await self._ask("queues")
        return sorted((QueueState(*row) for row in reply[0]), key=lambda queue: queue.queue)

    # --- time ----------------------------------------------------------------------------------------------

    async def tick(self) -> int:
        """Handles at most 100 due timers (leases, wrap-ups, cool-downs, exclusions). Returns how many."""
        reply = await self._ask("tick")
        return int(reply[0])

    async def _tick_on_time(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._next_tick = loop.time() + _LONGEST_SLEEP_S
            try:
                await self.tick()
            except LineDown as fault:
                log.warning("acd.tick_failed", error=str(fault))
            except Exception:  # a fault in one timer must not stop all the others
                log.exception("acd.tick_failed")
                await asyncio.sleep(_LONGEST_SLEEP_S)
            while (pause := self._next_tick - loop.time()) > 0:
                self._wake.clear()
                try:
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
                except TimeoutError:
                    break

    async def _read_mailbox(self) -> None:
        mailbox = f"{self._key}:mailbox:{self._engine}"
        while True:
            try:
                letter = await self._mail.call("BLPOP", mailbox, _MAILBOX_BLOCK_S)
                if letter is not None:
                    self._on_offer(Offer(*orjson.loads(letter[1])))
            except LineDown:
                await asyncio.sleep(0.2)
            except Exception:  # one unreadable letter must not close the mailbox
                log.exception("acd.mailbox_failed")
                await asyncio.sleep(0.2)

    # --- the wire ------------------------------------------------------------------------------------------

    async def _done(self, verb: str, *arguments: Argument) -> bool:
        reply = await self._ask(verb, *arguments)
        return bool(reply[0])

    async def _ask(self, verb: str, *arguments: Argument, sink: Sink | None = None) -> Any:
        now = 0 if self._clock is None else self._clock()
        command = ("FCALL", self._library.function(verb), 1, self._key, now, self._engine, *arguments)
        sink = sink or self._take_offers
        try:
            return await self._line.call(*command, sink=sink)
        except ResponseError as fault:
            if "Function not found" not in str(fault):
                raise
            log.warning("acd.library_missing", remedy="loading it again")
            await self.load()
            return await self._line.call(*command, sink=sink)

    def _take_offers(self, reply: Any) -> None:
        self._note_due(reply)
        for offer in reply[2:]:
            self._on_offer(Offer(*offer))

    def _note_due(self, reply: Any) -> None:
        due_in_ms = reply[1]
        if due_in_ms < 0 or not self._tasks:
            return
        # Redis counts whole milliseconds: one more, so that a timer is not met just before it is due.
        at = asyncio.get_running_loop().time() + (due_in_ms + 1) / 1000
        if at < self._next_tick:
            self._next_tick = at
            self._wake.set()

    async def _intern(self, rid: str, wanted: Requirement) -> None:
        if rid in self._interned:
            log.error("acd.redis_was_emptied", remedy="agents are defined again; report intents and devices anew")
            await self._define_all(dict(self._interned))
            return
        self._interned[rid] = wanted
        able = [agent for agent, skills in self._agents.items() if wanted.met_by(skills, agent)]
        await self._ask("intern", rid, wanted.text, *able)

    async def _define_all(self, wanted: dict[str, Requirement]) -> None:
        # Requirements that another engine interned while running count too: their items may be waiting.
        known = await self._line.call("HGETALL", f"{self._key}:reqs")
        for rid, text in zip(known[::2], known[1::2], strict=True):
            wanted.setdefault(rid, parse(text))
        self._interned = wanted
        for rid, requirement in wanted.items():
            await self._ask("intern", rid, requirement.text)
        gone = set(await self._line.call("ZRANGE", f"{self._key}:agents", 0, -1)) - self._agents.keys()
        await asyncio.gather(*(self._ask("forget", agent) for agent in gone))
        await asyncio.gather(
            *(
                self._ask("define", agent, " ".join(r for r, need in wanted.items() if need.met_by(skills, agent)))
                for agent, skills in self._agents.items()
            )
        )


def _agent_state(row: list[str]) -> AgentState:
    id_, intent, reason, device, work, since, item, *numbers = row
    idle_since, cool_until, misses, wrapup_until = map(int, numbers)
    return AgentState(
        id_,
        Intent(intent),
        reason,
        Device(device),
        Work(work),
        int(since),
        item,
        idle_since,
        cool_until,
        misses,
        wrapup_until,
    )
