"""The agents: who they are, in which lines they stand, and what they say of themselves."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.acd.policy import KEPT_ANYWAY, USUAL, Order, Policy
from engine.acd.requirements import Agent, Requirement, Skills, parse
from engine.acd.states import AgentState, Device, Hand, Intent, Work
from engine.acd.wire import Wire

_PAGE = 200
_WITHOUT_A_BREATH = 200  # agents whose lines are worked out in one go: about 5 ms with 200 requirements


class UnknownAgent(LookupError):  # noqa: N818 - reads like UnknownPrompt and its kin
    """No agent of this id was defined."""


@dataclass(frozen=True, slots=True)
class AgentTerms:
    """An agent as the configuration has them. `takes`: how many items of each kind at once. Of n that they take, each
    is 1/n of the whole agent, so voice: 1 excludes everything else; unless `define` is told another share of it."""

    skills: Skills = field(default_factory=dict)
    takes: Mapping[str, int] = field(default_factory=lambda: {"voice": 1})
    rank: int = 0  # for the linear order
    weight: int = 1  # 1..100, for the weighted order


@dataclass(frozen=True, slots=True)
class Said:
    """What was said last of an agent: by themselves, or by hand."""

    intent: Intent
    reason: str = ""
    skills: Mapping[str, int] = field(default_factory=dict)  # that differ from the configuration


class Staff(Wire):
    """Every method raises LineDown when Redis does not answer."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._agents: dict[str, AgentTerms] = {}
        self._interrupting: frozenset[str] = frozenset()
        self._shares: Mapping[str, int] = {}
        self._changed: dict[str, dict[str, int]] = {}  # skills changed while running
        self._lines: dict[str, Requirement] = {}
        self._orders: set[tuple[str, Order]] = set()
        self._profiles: dict[str, str] = {}  # agent -> what Redis was last told

    async def define(
        self,
        agents: Mapping[str, AgentTerms],
        policies: Iterable[Policy],
        *,
        interrupting: Collection[str] = (),
        shares: Mapping[str, int] | None = None,
        said: Mapping[str, Said] | None = None,
        device: Device = Device.DOWN,
    ) -> None:
        """These are the agents, and these policies will be asked for: at start, at every reload, and after Redis was
        emptied.

        A known agent keeps intent, device, changed skills and work. A new one has what was `said` of them and this
        `device`; without a word of them they are logged out, device down. One that is missing here is removed, after
        the item at hand. Items of a kind that is `interrupting` may be offered to whoever has others at hand; `shares`
        says what per cent of an agent one item of a kind takes. Raises ValueError for an id.
        """
        for agent in agents:
            if not agent or any(letter in " =|" or not letter.isprintable() for letter in agent):
                raise ValueError(f"agent id {agent!r}: it must have no spaces, no `=` and no `|`")
        said = said or {}
        life = secrets.token_hex(8)
        life = await self._line.call("SET", f"{self._key}:life", life, "NX", "GET") or life
        self._agents, self._interrupting, self._shares = dict(agents), frozenset(interrupting), dict(shares or {})
        self._lines, self._orders, self._profiles = {}, set(), {}
        known = set(await self._line.call("ZRANGE", f"{self._key}:agents", 0, -1))
        await self._repeat_skills({agent: said[agent].skills for agent in said.keys() & (agents.keys() - known)})
        await self._learn_of_others()
        wanted = list(policies)
        for policy in wanted:
            self._add_lines(policy)
        await self._tell_lines()
        nothing = await self._interned_profile({})
        await asyncio.gather(*(self._ask("forget", agent, nothing) for agent in known - self._agents.keys()))
        await self._tell_agents(self._agents, said, device)
        # Last: before that, nothing can be enqueued into an emptied Redis, so nobody is refused for want of agents.
        await self._intern("policies", {policy.id: policy.text for policy in wanted})
        self._life, self._lost = life, False

    async def intern(self, policy: Policy) -> None:
        """Makes a policy usable that was not there at the last `define`: agents step into its lines at once."""
        before = (len(self._lines), len(self._orders))
        await self._learn_of_others()
        self._add_lines(policy)
        if (len(self._lines), len(self._orders)) != before:
            await self._tell_lines()
            await self._tell_agents(self._agents)
        await self._intern("policies", {policy.id: policy.text})

    async def agent(
        self,
        agent: str,
        *,
        intent: Intent | None = None,
        reason: str = "",
        device: Device | None = None,
        actor: str = "",
    ) -> None:
        """Sets what changed of intent (with its reason, and whose word it is) and device; to repeat it is harmless.

        Work is never touched: an agent who logs out while ringing or talking finishes that item.
        Raises UnknownAgent.
        """
        signed = (actor,) if actor else ()
        if not await self._done("agent", agent, intent or "", reason, device or "", *signed):
            raise UnknownAgent(f"agent {agent!r} is not defined")

    async def skill(self, agent: str, name: str, level: int | None, *, actor: str = "") -> None:
        """Changes one skill from now on, until changed again (None: as configured). To join a queue is to get the skill
        `queue:<name>`, to leave it to lose it. Raises UnknownAgent."""
        if agent not in self._agents:
            raise UnknownAgent(f"agent {agent!r} is not defined")
        await self._learn_lines()
        reply = await self._ask("skill", agent, name, "" if level is None else level, actor)
        self._changed[agent] = orjson.loads(reply[0])
        self._profiles.pop(agent, None)  # another engine may have told otherwise since we did
        await self._tell_agents([agent])

    async def skills(self, agent: str) -> Skills:
        """What an agent can now: as configured, and as changed since. Raises UnknownAgent."""
        if agent not in self._agents:
            raise UnknownAgent(f"agent {agent!r} is not defined")
        changed = await self._line.call("HGET", f"{self._key}:skills", agent)
        self._changed[agent] = orjson.loads(changed or "{}")
        return self._skills_of(agent)

    async def changed_skills(self) -> Mapping[str, Mapping[str, int]]:
        """What differs from the configuration, by agent."""
        await self._learn_of_others()
        return self._changed

    async def wrapup(self, agent: str, ms: int, *, actor: str = "") -> int | None:
        """Each of their wrap-ups lasts so much longer than it would; 0 ends them all now. How many ms until the last of
        them is over; None: they wrap nothing up."""
        reply = await self._ask("wrapup", agent, ms, actor)
        return int(reply[0]) if reply[0] >= 0 else None

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

    # --- lines and profiles --------------------------------------------------------------------------------

    def _skills_of(self, agent: str) -> Skills:
        return {**self._agents[agent].skills, **self._changed.get(agent, {})}

    def _add_lines(self, policy: Policy) -> None:
        for line, requirement in policy.lines().items():
            if not isinstance(requirement.root, Agent):
                self._lines[line] = requirement
                if policy.order not in KEPT_ANYWAY:
                    self._orders.add((line, policy.order))

    async def _learn_of_others(self) -> None:
        """Lines, orders and skills that another engine brought in count too: their items may be waiting."""
        await self._learn_lines()
        changed = await self._line.call("HGETALL", f"{self._key}:skills")
        self._changed = {a: orjson.loads(text) for a, text in zip(changed[::2], changed[1::2], strict=True)}

    async def _learn_lines(self) -> None:
        lines = await self._line.call("HGETALL", f"{self._key}:lines")
        for line, text in zip(lines[::2], lines[1::2], strict=True):
            self._lines.setdefault(line, parse(text))
        documents = await self._line.call("HVALS", f"{self._key}:policies")
        for document in map(orjson.loads, documents):
            order = Order(document.get("order", USUAL["order"]))
            if order not in KEPT_ANYWAY:
                for step in document["steps"]:
                    lines = (step["line"], *step.get("prefer", ()))
                    self._orders |= {(line, order) for line in lines if line in self._lines}

    def _profile(self, agent: str) -> dict[str, list[list[str | int]]]:
        """The lines of each kind that the agent stands in; one that an order keeps apart stands there with it."""
        skills, takes = self._skills_of(agent), self._agents[agent].takes
        found: dict[str, list[list[str | int]]] = {kind: [] for kind, most in sorted(takes.items()) if most > 0}
        for line, requirement in sorted(self._lines.items()):
            entries = found.get(line.partition(".")[0])
            if entries is None or not requirement.met_by(skills, agent):
                continue
            orders = sorted(order for other, order in self._orders if other == line) if self._orders else []
            proficiency = requirement.proficiency(skills) if Order.MOST_PROFICIENT in orders else 0
            entries += [[line, order, proficiency] for order in orders] or [[line]]
        return found

    async def _tell_lines(self) -> None:
        await self._intern("lines", {line: requirement.text for line, requirement in self._lines.items()})

    async def _repeat_skills(self, skills: Mapping[str, Mapping[str, int]]) -> None:
        for agent, changed in skills.items():
            for name, level in changed.items():
                await self._ask("skill", agent, name, level)

    async def _tell_agents(
        self, agents: Iterable[str], said: Mapping[str, Said] | None = None, device: Device = Device.DOWN
    ) -> None:
        """Tells Redis of those whose lines are others than it was told last."""
        telling: list[Coroutine[Any, Any, None]] = []
        for count, agent in enumerate(agents, start=1):
            if count % _WITHOUT_A_BREATH == 0:
                await asyncio.gather(*telling)
                telling.clear()
            profile = orjson.dumps(self._profile(agent)).decode()
            if self._profiles.get(agent) != profile:
                self._profiles[agent] = profile
                telling.append(self._tell_agent(agent, profile, (said or {}).get(agent), device))
        await asyncio.gather(*telling)

    async def _tell_agent(self, agent: str, profile: str, said: Said | None, device: Device) -> None:
        terms = self._agents[agent]
        id_ = _digest(profile)
        await self._intern("profiles", {id_: profile})
        limits = " ".join(self._limit(kind, most) for kind, most in sorted(terms.takes.items()) if most > 0)
        word = (said.intent, said.reason, device) if said else ("", "", "")
        await self._ask("define", agent, id_, limits, terms.rank, terms.weight, *word)

    def _limit(self, kind: str, most: int) -> str:
        """As lua/10_agents.lua reads it; a share is only told where it is not that of one of so many."""
        share = self._shares.get(kind)
        told = f"*{share}" if share is not None and share * most != 100 else ""
        return f"{kind}={most}{'!' if kind in self._interrupting else ''}{told}"

    async def _interned_profile(self, profile: dict[str, Any]) -> str:
        text = orjson.dumps(profile).decode()
        await self._intern("profiles", {_digest(text): text})
        return _digest(text)

    async def _intern(self, of: str, named: Mapping[str, str]) -> None:
        words = [word for pair in named.items() for word in pair]
        for start in range(0, len(words), 2 * _PAGE):
            await self._ask("intern", of, *words[start : start + 2 * _PAGE])


def _digest(text: str) -> str:
    return hashlib.blake2s(text.encode(), digest_size=6).hexdigest()


def _agent_state(row: list[str]) -> AgentState:
    id_, intent, reason, device, hands, *numbers, ready = row
    since, idle_since, cool_until, misses, calls = map(int, numbers)
    return AgentState(
        id_, Intent(intent), reason, Device(device), tuple(_hand(*hand) for hand in hands), since,
        idle_since, cool_until, misses, calls, tuple(ready.split()),
    )  # fmt: skip


def _hand(token: str, kind: str, work: str, since: int, until: int) -> Hand:
    return Hand(token, kind, Work(work), since, until)
