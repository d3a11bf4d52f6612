"""A phone that may not be the agent's alone has been answered: by them, or by a mailbox, or by a child?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

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
            await pressed(leg, lambda: leg.play_media(media, stops=KEY), pause_s=PAUSE_S)
            return True
    except (TimeoutError, HungUp):
        return False


async def pressed(
    leg: Channel, ask: Callable[[], Awaitable[object]], *, pause_s: float, heard: Callable[[str], None] | None = None
) -> None:
    """Asks until the key is pressed, `pause_s` seconds apart; whoever calls it says for how long. Other keys do
    nothing; `heard` is told every key. Raises what `ask` raises."""
    while True:
        await ask()
        while (key := await leg.digit(pause_s)) is not None:
            if heard is not None:
                heard(key)
            if key == KEY:
                return
