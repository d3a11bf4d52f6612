"""What agents do, and their phones."""

from collections.abc import Mapping

from engine.journal.events.event import Event, event


@event("wrapup.started")
class WrapupStarted(Event):
    agent: str
    until: int


@event("wrapup.changed")
class WrapupChanged(Event):
    """Extended, or ended, by hand. `by`: whose; "" when nobody said."""

    agent: str
    until: int
    by: str = ""


@event("wrapup.ended")
class WrapupEnded(Event):
    agent: str


@event("agent.intent_changed")
class AgentIntentChanged(Event):
    agent: str
    intent: str
    reason: str = ""
    by: str = ""


@event("agent.skills_changed")
class AgentSkillsChanged(Event):
    """What differs from the configuration from now on: queues that they joined (`queue:NAME` 1) or left (0)."""

    agent: str
    skills: Mapping[str, int]
    by: str = ""


@event("agent.device_changed")
class AgentDeviceChanged(Event):
    agent: str
    device: str
