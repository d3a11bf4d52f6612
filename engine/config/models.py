"""dialplan/hotline.yaml: which numbers are answered, and what holds for all of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from engine.config.names import Digits, Extension, Language, Name
from engine.config.trunks import AreaCode, Branch, Trunk
from engine.config.units import Seconds, Written
from engine.identity.numbers import Caller, normalise
from engine.sounds.tts import Voice


class Number(Written):
    """One number that callers dial."""

    flow: Name
    name: str = ""
    language: Language = "zh-CN"


class AttemptLimits(Written):
    """How many wrong tries of a member number, ID card or PIN there may be before nobody is asked any more: in one
    call, from one number, about one account. Those of numbers and accounts are forgotten after `within`."""

    call: int = Field(default=5, ge=1, le=100)
    number: int = Field(default=10, ge=1, le=1000)
    account: int = Field(default=5, ge=1, le=1000)
    within: Seconds = 3600.0


class IdentitySettings(Written):
    """The company's own endpoint that knows its customers (docs/identity.md). `cache`: how long an answer about a
    number may be given again, 0s for never."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+")]
    deadline: Seconds = 1.5
    secret_file: str | None = None
    cache: Seconds = 30.0
    attempts: AttemptLimits = AttemptLimits()


class MessagesSettings(Written):
    """The company's endpoint that sends short messages and takes word of voicemails (docs/voicemail.md)."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+")]
    secret_file: str | None = None
    deadline: Seconds = 5.0
    give_up_after: Seconds = 86_400.0


class VoicemailSettings(Written):
    """How long a voicemail is kept (docs/voicemail.md)."""

    keep: Seconds = 90 * 86_400.0


class Tier(Written):
    """What a customer's tier is worth: a head start means `counts as having waited so long`; `served_within` is theirs
    beside the queue's, whichever is sooner; `music` is heard in place of the queue's."""

    head_start: Seconds = 0.0
    served_within: Seconds | None = Field(default=None, gt=0)
    music: Name | None = None


_PLAIN_TRUNK = Trunk()


class HotlineFile(Written):
    """dialplan/hotline.yaml"""

    company: str
    numbers: dict[Digits, Number] = Field(min_length=1)
    identity: IdentitySettings | None = None
    messages: MessagesSettings | None = None
    voicemail: VoicemailSettings = VoicemailSettings()
    area_code: AreaCode | None = None
    tiers: dict[str, Tier] = Field(default_factory=dict)
    trunks: dict[Name, Trunk] = Field(default_factory=dict)
    branches: dict[Extension, Branch] = Field(default_factory=dict)
    tts: dict[Language, Voice] = Field(default_factory=dict)

    def caller(self, delivered: str, *, trunk: str, presentation: str) -> Caller:
        """Who is behind the number that `trunk` delivered, read by its rules; never raises."""
        rules = self.trunks.get(trunk, _PLAIN_TRUNK)
        return normalise(
            delivered,
            region=rules.region,
            area_code=rules.area_code or (self.area_code if rules.region == _PLAIN_TRUNK.region else None),
            strip=rules.strip,
            presentation=presentation,
        )
