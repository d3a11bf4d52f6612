"""What every call needs around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.acd import Acd
from engine.asterisk.node import Node
from engine.call.last_agent import LastAgents
from engine.call.outside_lines import OutsideLines
from engine.call.phones import Phones
from engine.call.record import Records
from engine.config.site import Site
from engine.flow.services import Services
from engine.journal.journal import Journal

if TYPE_CHECKING:
    from engine.call.callbacks import Callbacks


@dataclass(slots=True)
class Switchboard:
    """The rooms that a call walks through; `site` is replaced when the admin changes something."""

    node: Node
    acd: Acd
    phones: Phones
    journal: Journal
    records: Records
    last_agents: LastAgents
    services: Services
    site: Site
    outside_lines: OutsideLines = field(default_factory=OutsideLines)
    callbacks: Callbacks = field(init=False)
