"""A phone that may not be the agent's alone has been answered: by them, or by a mailbox, or by a child?"""

from __future__ import annotations

import asyncio

from engine.asterisk.channel import Channel
from engine.config.policies import CONFIRM_S
from engine.flow.leg import HungUp

KEY = "1"
# Between two repetitions, while the key counts as well.
PAUSE_S = 1.0


async def confirmed(leg: Channel, media: str) -> bool:
    """Asks again and again for the key that takes the call; False when nobody presses it within CONFIRM_S, or they hang
    up. `media`: the prompt, for Asterisk. It does not say who calls: a mailbox would keep that. Raises AriError."""
    try:
        async with asyncio.timeout(CONFIRM_S), leg.while_alive():
            await leg.until(lambda: leg.in_stasis)
            while True:
                await leg.play_media(media, stops=KEY)
                while (key := await leg.digit(PAUSE_S)) is not None:
                    if key == KEY:
                        return True
    except (TimeoutError, HungUp):
        return False
