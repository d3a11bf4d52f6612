"""The agents: who they are, in which lines they stand, and what they say of themselves."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.acd.abilities import Abilities
from engine.acd.forgetting import Forgetting
from engine.acd.lines import Lines, Profile, kind_of, shared
from engine.acd.policy import Policy
from engine.acd.requirements import Skills
from engine.acd.states import AgentState, Device, Hand, Intent, Work

_PAGE = 200
_WITHOUT_A_BREATH = 25  # agents whose lines are worked out in one go: about 2 ms with 200 requirements
_LOOKED_AT_IN_ONE_GO = 500  # agents, whether they meet one requirement: less than 1 ms
_STEP_IN_AT_ONCE = 10  # agents, by one command: about 2 ms of Redis


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


class Staff(Forgetting):
    """Every method raises LineDown when Redis does not answer."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._agents: dict[str, AgentTerms] = {}
        self._interrupting: frozenset[str] = frozenset()
        self._shares: Mapping[str, int] = {}
        self._abilities = Abilities({})
        self._skilled_at = "0"  # changes of skills until then are known
        self._lines = Lines()
        self._one_at_a_time = asyncio.Lock()  # of those who say in which lines agents stand

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
        async with self._one_at_a_time:
            await self._define(
                dict(agents), list(policies), frozenset(interrupting), dict(shares or {}), said or {}, device
            )

    async def _define(
        self,
        agents: dict[str, AgentTerms],
        policies: list[Policy],
        interrupting: frozenset[str],
        shares: dict[str, int],
        said: Mapping[str, Said],
        device: Device,
    ) -> None:
        life = secrets.token_hex(8)
        life = await self._line.call("SET", f"{self._key}:life", life, "NX", "GET") or life
        known = set(await self._line.call("ZRANGE", f"{self._key}:agents", 0, -1))
        await self._repeat_skills({agent: said[agent].skills for agent in said.keys() & (agents.keys() - known)})
        abilities = await self._learned_abilities(agents)
        self._agents, self._abilities = agents, abilities
        self._interrupting, self._shares = interrupting, shares
        # First: whoever asks for what is forgotten brings it in again, and agents into it, whatever we tell them now.
        await self._forget_policies({policy.id for policy in policies})
        await self._learn_lines()
        for policy in policies:
            self._lines.add(policy)
        await self._intern("lines", self._lines.texts())
        nothing = Profile({})
        await asyncio.gather(*(self._ask("forget", agent, nothing.id, nothing.text) for agent in known - agents.keys()))
        told = await self._tell_agents(agents, said, device)
        await self._catch_up()
        # Last: before that, nothing can be enqueued into an emptied Redis, so nobody is refused for want of agents.
        for refused in await self._intern("policies", {policy.id: policy.text for policy in policies}):
            await self._bring_in(next(policy for policy in policies if policy.id == refused))
        self._life, self._lost = life, False
        await self._forget_profiles(told | {nothing.id})

    async def intern(self, policy: Policy) -> None:
        """Makes a policy usable that is not known (any more): whoever meets its lines steps into them first."""
        async with self._one_at_a_time:
            await self._bring_in(policy)

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
        async with self._one_at_a_time:
            reply = await self._ask("skill", agent, name, "" if level is None else level, actor)
            self._abilities.change(agent, orjson.loads(reply[0]))
            if agent in self._agents:  # not removed while we waited
                await self._learn_lines()
                await self._tell_agents([agent])
                await self._catch_up()

    async def skills(self, agent: str) -> Skills:
        """What an agent can now: as configured, and as changed since. Raises UnknownAgent."""
        changed = await self._line.call("HGET", f"{self._key}:skills", agent)
        if agent not in self._agents:
            raise UnknownAgent(f"agent {agent!r} is not defined")
        self._abilities.change(agent, orjson.loads(changed or "{}"))
        return self._abilities.of(agent)

    async def changed_skills(self) -> Mapping[str, Mapping[str, int]]:
        """What differs from the configuration, by agent."""
        return await self._all_changes()

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

    async def _bring_in(self, policy: Policy) -> None:
        """Once all who meet its lines stand in them, items may be enqueued under it. Whatever breaks that off, the next
        who asks for it does it again."""
        refused = [policy.id]
        while refused:
            # Before we learn what there is: what is forgotten from now on, the policy is refused for.
            await self._intern("lines", {line: requirement.text for line, requirement in shared(policy)})
            await self._learn_lines()
            await self._learn_skills()
            new = self._lines.new_in(policy)
            self._lines.add(policy)
            for line in new:
                await self._step_into(line)
            refused = await self._intern("policies", {policy.id: policy.text})

    async def _step_into(self, line: str) -> None:
        """Whoever meets it stands in it, too; Redis is told of nobody else."""
        requirement, kind = self._lines.requirement(line), kind_of(line)
        alike: defaultdict[str, list[str]] = defaultdict(list)
        for count, agent in enumerate(sorted(self._abilities.candidates(requirement)), start=1):
            if count % _LOOKED_AT_IN_ONE_GO == 0:
                await asyncio.sleep(0)
            skills = self._abilities.of(agent)
            if self._agents[agent].takes.get(kind, 0) > 0 and requirement.met_by(skills, agent):
                alike[Profile({kind: self._lines.entries(line, skills)}).text].append(agent)
        for text, agents in alike.items():
            for start in range(0, len(agents), _STEP_IN_AT_ONCE):
                await self._ask("step_in", text, *agents[start : start + _STEP_IN_AT_ONCE])

    async def _catch_up(self) -> None:
        """Another engine may have brought in lines while we told agents of theirs, and they have left them by that."""
        if await self._line.call("HLEN", f"{self._key}:lines") == len(self._lines):
            return
        before = self._lines
        await self._learn_lines()
        for line in self._lines:
            if line not in before:
                await self._step_into(line)

    async def _learn_lines(self) -> None:
        """Lines and orders that another engine brought in count too: its items may be waiting."""
        texts = await self._line.call("HGETALL", f"{self._key}:lines")
        policies = await self._line.call("HVALS", f"{self._key}:policies")
        self._lines = Lines()
        self._lines.learn(dict(zip(texts[::2], texts[1::2], strict=True)), map(orjson.loads, policies))

    async def _learned_abilities(self, agents: Mapping[str, AgentTerms]) -> Abilities:
        latest = await self._line.call("ZRANGE", f"{self._key}:skilled", 0, 0, "REV", "WITHSCORES")
        self._skilled_at = latest[1] if latest else "0"
        changed = await self._all_changes()
        abilities = Abilities({agent: terms.skills for agent, terms in agents.items()})
        for count, agent in enumerate(agents, start=1):
            if count % _LOOKED_AT_IN_ONE_GO == 0:
                await asyncio.sleep(0)
            abilities.change(agent, changed.get(agent, {}))
        return abilities

    async def _all_changes(self) -> dict[str, dict[str, int]]:
        rows = await self._line.call("HGETALL", f"{self._key}:skills")
        return {agent: orjson.loads(text) for agent, text in zip(rows[::2], rows[1::2], strict=True)}

    async def _learn_skills(self) -> None:
        """Only of those whose skills somebody has changed since we looked."""
        since = (f"{self._key}:skilled", self._skilled_at, "+inf", "BYSCORE", "WITHSCORES")
        rows = await self._line.call("ZRANGE", *since)
        if rows:
            texts = await self._line.call("HMGET", f"{self._key}:skills", *rows[::2])
            for agent, text in zip(rows[::2], texts, strict=True):
                self._abilities.change(agent, orjson.loads(text or "{}"))
            self._skilled_at = rows[-1]

    async def _repeat_skills(self, skills: Mapping[str, Mapping[str, int]]) -> None:
        for agent, changed in skills.items():
            for name, level in changed.items():
                await self._ask("skill", agent, name, level)

    async def _tell_agents(
        self, agents: Iterable[str], said: Mapping[str, Said] | None = None, device: Device = Device.DOWN
    ) -> set[str]:
        """In which lines they stand; returns the ids of their profiles."""
        told: set[str] = set()
        left = list(agents)
        while left:
            some, left = left[:_WITHOUT_A_BREATH], left[_WITHOUT_A_BREATH:]
            profiles = {agent: self._profile_of(agent) for agent in some}
            told.update(profile.id for profile in profiles.values())
            telling = (self._tell_agent(of, profile, (said or {}).get(of), device) for of, profile in profiles.items())
            await asyncio.gather(*telling)
        return told

    def _profile_of(self, agent: str) -> Profile:
        return self._lines.profile(agent, self._abilities.of(agent), self._agents[agent].takes)

    async def _tell_agent(self, agent: str, profile: Profile, said: Said | None, device: Device) -> None:
        terms = self._agents[agent]
        limits = " ".join(self._limit(kind, most) for kind, most in sorted(terms.takes.items()) if most > 0)
        word = (said.intent, said.reason, device) if said else ("", "", "")
        await self._ask("define", agent, profile.id, limits, terms.rank, terms.weight, *word, profile.text)

    def _limit(self, kind: str, most: int) -> str:
        """As lua/10_agents.lua reads it; a share is only told where it is not that of one of so many."""
        share = self._shares.get(kind)
        told = f"*{share}" if share is not None and share * most != 100 else ""
        return f"{kind}={most}{'!' if kind in self._interrupting else ''}{told}"

    async def _intern(self, of: str, named: Mapping[str, str]) -> list[str]:
        """The ids of those that Redis refused: policies whose lines another engine has forgotten meanwhile."""
        refused: list[str] = []
        words = [word for pair in named.items() for word in pair]
        for start in range(0, len(words), 2 * _PAGE):
            refused += (await self._ask("intern", of, *words[start : start + 2 * _PAGE]))[0]
        return refused


def _agent_state(row: list[str]) -> AgentState:
    id_, intent, reason, device, hands, *numbers, ready = row
    since, idle_since, cool_until, misses, calls = map(int, numbers)
    return AgentState(
        id_, Intent(intent), reason, Device(device), tuple(_hand(*hand) for hand in hands), since,
        idle_since, cool_until, misses, calls, tuple(ready.split()),
    )  # fmt: skip


def _hand(token: str, kind: str, work: str, since: int, until: int) -> Hand:
    return Hand(token, kind, Work(work), since, until)
