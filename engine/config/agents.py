"""dialplan/agents.yaml: the people who answer, what they can, and where their phones are."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from engine.acd.conditions import MEMBER_OF, Skills
from engine.config.names import Name
from engine.config.units import Written

# What an agent takes of a kind at the same time.
AtOnce = Annotated[int, Field(ge=0, le=100)]


class Agent(Written):
    """A person and the phone in front of them; the key is the phone's user name.

    `takes`: how many items of a kind at once, where that is not what the kind says; 0 for none. `number`: an outside
    phone, which is called through a trunk in place of a SIP phone. Whoever answers an outside phone, or one with
    `confirm`, presses 1 to take the call: a mailbox does not.
    """

    name: str
    skills: dict[Name, Annotated[int, Field(ge=0, le=10)]] = Field(default_factory=dict)
    queues: list[Name] = Field(default_factory=list)
    weight: int = Field(default=10, ge=1, le=100)
    takes: dict[Name, AtOnce] = Field(default_factory=dict)
    password: Annotated[str, StringConstraints(min_length=12)] | None = None
    contact: Annotated[str, StringConstraints(pattern=r"^sips?:[^\s;,]+$")] | None = None
    number: str | None = None
    confirm: bool = False

    @cached_property
    def abilities(self) -> Skills:
        """What requirements look at: the skills, and `queue:NAME` for each queue that they serve."""
        return {**self.skills, **{MEMBER_OF + queue: 1 for queue in self.queues}}

    @property
    def confirms(self) -> bool:
        """Whether an answered offer is theirs only once a key was pressed."""
        return self.confirm or self.number is not None

    @model_validator(mode="after")
    def _one_phone(self) -> Agent:
        if self.number is not None and (self.password or self.contact):
            raise ValueError(
                "`number` is dialled through a trunk; `password` and `contact` are a SIP phone's: not both"
            )
        if self.takes.get("voice", 1) > 1:
            raise ValueError("`takes: {voice: …}` is 1, or 0 for nobody's calls: one person talks with one caller")
        return self


class AgentsFile(Written):
    """dialplan/agents.yaml"""

    agents: dict[Name, Agent] = Field(min_length=1)
