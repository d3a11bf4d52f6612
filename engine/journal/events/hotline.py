"""The hotline itself: its engines, its configuration, its Asterisk."""

from engine.journal.events.event import Event, event


@event("engine.started")
class EngineStarted(Event):
    engine: str
    version: str


@event("engine.stopped")
class EngineStopped(Event):
    engine: str = ""


@event("config.loaded")
class ConfigLoaded(Event):
    """From now on calls begin with this version of the site."""

    version: str


@event("node.up")
class NodeUp(Event):
    node: str = ""


@event("node.down")
class NodeDown(Event):
    node: str = ""
