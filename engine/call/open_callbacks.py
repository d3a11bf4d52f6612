"""The callbacks of this engine that nobody has closed yet: how far each has got, and what its queue says of it."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable
from datetime import datetime
from typing import Any

from engine.acd import Policy
from engine.call.switchboard import Switchboard
from engine.callbacks import Callback, State
from engine.callbacks.rows import Rows
from engine.config import policies
from engine.config.queues import CallingBack
from engine.flow.steps import ToQueue
from engine.journal.events import CallbackClosed, Event


class OpenCallbacks(UserDict[str, Callback]):
    """By what the ACD knows them by. Each change of state is written to the row and, where others ask for it, told."""

    def __init__(self, board: Switchboard, rows: Rows, now_ms: Callable[[], int]) -> None:
        super().__init__()
        self._board, self._rows, self._now_ms = board, rows, now_ms

    def settings(self, callback: Callback) -> CallingBack | None:
        """How its queue calls back; None for one that leaves it to people."""
        queue = self._board.site.queues.get(callback.queue)
        return queue.callbacks if queue is not None else None

    def policy(self, callback: Callback) -> Policy:
        """How it is served in its queue, which is there."""
        to, required = ToQueue(queue=callback.queue), {"route.require": callback.require}
        return policies.policy_of_callback(to, self._board.site, required)

    def opens_in_ms(self, callback: Callback, at_ms: int) -> int:
        """How long after that moment nobody is called yet."""
        queue = self._board.site.queues.get(callback.queue)
        if queue is None:
            return 0
        at = datetime.fromtimestamp(at_ms / 1000).astimezone()
        return policies.opens_in_ms(queue.callback_hours, self._board.site, self._board.services.orders, at)

    def too_old(self, callback: Callback, at_ms: int) -> bool:
        """Whether nobody expects it any more at that moment."""
        settings = self.settings(callback) or CallingBack()
        return at_ms > callback.asked_ms + round(settings.within * 1000)

    def in_line(self, callback: Callback) -> Callback:
        """Whatever was being done about it, it waits again; not written yet."""
        return callback if callback.state is State.WAITING else callback.become(State.WAITING, self._now_ms())

    def keep(self, callback: Callback) -> None:
        """As it is now."""
        self[callback.item] = callback
        self._rows.write(callback)

    def become(self, item: str, state: State) -> Callback | None:
        """From now on; None when it was closed meanwhile."""
        callback = self.get(item)
        if callback is None:
            return None
        now = callback.become(state, self._now_ms())
        self.keep(now)
        return now

    def close(self, callback: Callback, state: State, reason: str = "") -> None:
        """Nobody is called any more."""
        closed = callback.become(state, self._now_ms(), reason=reason)
        self.pop(callback.item, None)
        self._rows.write(closed)
        self.note(CallbackClosed, closed, state=str(state), by="")

    def note(self, kind: Callable[..., Event], callback: Callback, **payload: Any) -> None:
        """Into the journal, with what happens to it."""
        self._board.journal.append(kind(callback.item, self._now_ms(), callback=callback.id, **payload))
