"""A question answered by one key.

     same => n,AGI(${AGI}/menu,menu-main&menu-main@en,keys=120,wait=5s,tries=3)
     same => n,Goto(menu-${HOTLINE_OUTCOME},${HOTLINE_KEY},1)

or with the settings of a step in a flow: AGI(${AGI}/menu,main/menu). HOTLINE_OUTCOME: key, silence or wrong_key, the
last mistake when the tries are used up. HOTLINE_KEY: the key, empty without one.
"""

from engine.asterisk.agi_session import Session
from engine.asterisk.agi_step import perform


async def run(session: Session) -> None:
    """Asks; every one of `keys` leads to the dialplan."""
    result = await perform(session, "menu", readers={"keys": lambda keys: {key: key for key in keys}})
    await session.set_variable("HOTLINE_KEY", result.outcome.partition("key ")[2])
