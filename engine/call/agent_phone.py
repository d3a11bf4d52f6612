"""Where an agent is rung: at their SIP phone, or at an outside phone through a trunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from engine.acd import Missed
from engine.config.dialling import NotAllowed, ways_out

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AgentPhone:
    """What is dialled. `trunk` is "" for a SIP phone; whoever answers one that `confirms` has yet to press a key."""

    endpoint: str
    caller_id: str
    trunk: str = ""
    confirms: bool = False


def phone_of(call: InboundCall, user: str) -> AgentPhone | Missed:
    """The agent's phone as it is written by now, whatever it was when the call began; or why it cannot be rung."""
    site = call.board.site
    agent = site.agents.get(user)
    if agent is None or agent.number is None:
        return AgentPhone(f"PJSIP/{user}", call.shown_to_agent(), confirms=agent is not None and agent.confirms)
    try:
        ways = ways_out(site.hotline, agent.number)
    except NotAllowed as refusal:
        log.warning("offer.misconfigured", agent=user, why=refusal.why, remedy="see its number in dialplan/agents.yaml")
        return Missed.WRONG_NUMBER
    way = call.board.outside_lines.free(ways)
    if way is None:
        log.warning("offer.all_lines_taken", agent=user, remedy="raise most_calls of a trunk that may dial them")
        return Missed.FAILED
    # The carrier shows no foreign numbers: who calls is not told before somebody has taken the call.
    return AgentPhone(way.endpoint, f"<{way.caller_id}>", way.trunk, agent.confirms)
