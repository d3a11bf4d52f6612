"""An item of the ACD: into its queue, by whose hand, and out of it. Written by the Redis functions."""

from engine.journal.events.event import Event, event


@event("item.added")
class ItemAdded(Event):
    """Something that is no call: `what` says what, such as email."""

    queue: str
    what: str
    subject: str
    by: str


@event("item.enqueued")
class ItemEnqueued(Event):
    queue: str
    requirement: str
    head_start_ms: int
    position: int
    ready: int
    waited_ms: int = 0
    step: int = 1
    strict: int = 0


@event("item.refused")
class ItemRefused(Event):
    """The queue took nobody: full, no_agents, none_eligible, timed_out, closed."""

    queue: str
    reason: str


@event("item.resumed")
class ItemResumed(Event):
    """Somebody has a place back that they abandoned a moment ago."""

    queue: str
    wait_ms: int


@event("item.requirements_relaxed")
class ItemRelaxed(Event):
    """From now on others may take it, too. Step 0 is the preferred agent's."""

    step: int
    requirement: str
    wait_ms: int


@event("item.policy_changed")
class ItemPolicyChanged(Event):
    """A reload has changed its queue, and it waits by the new version."""

    step: int
    requirement: str
    wait_ms: int


@event("item.urgent")
class ItemUrgent(Event):
    """It has waited as long as its class may at the most, and goes before everybody else."""

    wait_ms: int


@event("item.deferred")
class ItemDeferred(Event):
    """Out of the line until then, at the same place afterwards."""

    reason: str
    until: int


@event("item.returned")
class ItemReturned(Event):
    queue: str


@event("item.assigned")
class ItemAssigned(Event):
    """Somebody gave it to an agent, or took it themselves."""

    agent: str
    by: str


@event("item.reprioritised")
class ItemReprioritised(Event):
    head_start_ms: int
    strict: int
    by: str


@event("item.taken_out")
class ItemTakenOut(Event):
    """By hand; `target` says where to, such as `queue:service`."""

    reason: str
    target: str
    by: str


@event("item.restored")
class ItemRestored(Event):
    """After Redis was emptied: what this agent has been talking about all along."""

    agent: str


@event("item.announced")
class ItemAnnounced(Event):
    position: int  # 0: only the wait
    low_ms: int = 0
    high_ms: int = 0  # 0: only the place


@event("item.ended")
class ItemEnded(Event):
    reason: str
    target: str = ""
