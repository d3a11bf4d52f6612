"""An event loop whose clock jumps: whatever waits for time to pass has waited as soon as nothing else is left to do."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any


class NothingHappens(RuntimeError):  # noqa: N818 - said of the loop
    """Everything waits and no timer is set: a simulated call would never end. A fault of ours."""


class _Jumping(selectors.DefaultSelector):
    """Instead of waiting until a timer is due it moves the clock there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now. Raises NothingHappens."""
        ready = super().select(0)
        if not ready and timeout is None:
            raise NothingHappens
        if not ready and timeout is not None and timeout > 0:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Begins at 0. Work for a thread is done at once and in place, so that no clock runs away from it."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._jumping.now

    def run_in_executor(  # type: ignore[override]  # no thread, so no executor either
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Calls `func` now."""
        done: asyncio.Future[Any] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever awaits it is told
            done.set_exception(error)
        return done
