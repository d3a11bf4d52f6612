"""What Redis was told once by what it says, policies, lines and profiles, and nobody needs any more, is forgotten.

Else agents would stand in ever more lines, one for each version of a queue that there has been. Other engines may
still use what this one does not know: they are told so at their next item (`enqueue` answers that the policy is not
known), and bring it in again. Whatever waits, rings or talks keeps its policy, and with it all lines of later steps.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection

from engine.acd.wire import Wire

_AT_ONCE = 200


class Forgetting(Wire):
    """Both methods raise LineDown."""

    async def _forget_policies(self, wanted: Collection[str]) -> None:
        """All but these, and what items use; then the lines that no policy uses."""
        await self._forget("policies", wanted)
        await self._ask("forget_unused")

    async def _forget_profiles(self, told: Collection[str]) -> None:
        """All but these, and what other agents have."""
        await self._forget("profiles", told)

    async def _forget(self, of: str, wanted: Collection[str]) -> None:
        known = await self._line.call("HKEYS", f"{self._key}:{of}")
        unwanted = [id_ for id_ in known if id_ not in wanted]
        slices = [unwanted[n : n + _AT_ONCE] for n in range(0, len(unwanted), _AT_ONCE)]
        if not slices:
            return
        mark, connections = secrets.token_hex(4), self._line.connections
        for some in slices:
            await self._ask("leave_out", of, mark, *some)
        last = (await self._ask(f"{of}_in_use", ""))[0]
        while last:
            last = (await self._ask(f"{of}_in_use", last))[0]
        if self._line.connections != connections:
            return  # where one server had come to means nothing to another: the next reload will do it
        for some in slices:
            await self._ask("forget_interned", of, mark, *some)
