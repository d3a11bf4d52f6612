"""AMI, through panoramisk: what ARI has no command for - the fallback queue's members, and asking phones.

panoramisk sends an action again when the line is lost before its answer came, so only what may safely be done
twice goes over it: adding a member who is there, and removing one who is not, are refused and harmless.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from panoramisk.manager import Manager

log = structlog.get_logger()

QUEUE = "fallback"
ANSWER_S = 5.0


async def tend_phones(port: int, secret: str, names: Mapping[str, str]) -> bool:
    """Makes the members of the fallback queue these agents (user → name), and has Asterisk ask every registered
    phone whether it is there: by itself it does so up to half a minute after it has started, and until then the
    phone counts as gone. False when AMI did not answer."""
    manager = Manager(
        loop=asyncio.get_running_loop(), host="127.0.0.1", port=port, username="hotline", secret=secret, events="off"
    )
    try:
        async with asyncio.timeout(ANSWER_S):
            await manager.connect()
            await _add(manager, names)
            await _remove_others(manager, names)
            for user in names:
                await manager.send_action({"Action": "PJSIPQualify", "Endpoint": user}, as_list=False)
    except (TimeoutError, OSError) as error:
        log.warning("ami.unanswered", port=port, error=str(error), effect="the fallback queue keeps its members")
        return False
    finally:
        manager.close()
    return True


async def _add(manager: Manager, names: Mapping[str, str]) -> None:
    for user, name in names.items():
        # as_list: panoramisk takes "Added interface to queue" for the beginning of a list and waits for its end.
        await manager.send_action(
            {"Action": "QueueAdd", "Queue": QUEUE, "Interface": f"PJSIP/{user}", "MemberName": name}, as_list=False
        )


async def _remove_others(manager: Manager, names: Mapping[str, str]) -> None:
    told = await manager.send_action({"Action": "QueueStatus", "Queue": QUEUE}, as_list=True)
    for message in told:
        interface = getattr(message, "Location", "") or ""
        if interface.startswith("PJSIP/") and interface.removeprefix("PJSIP/") not in names:
            await manager.send_action({"Action": "QueueRemove", "Queue": QUEUE, "Interface": interface})
