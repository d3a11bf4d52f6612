"""`python -m demo`: exit code 0 only if a real call was made, answered, heard on both sides and accounted for."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from demo.hotline import PROJECT, DemoHotline, Where
from demo.story import NUMBER, Proof, Watcher, tell
from engine.api.client import NoEngine
from engine.config import site as sites
from engine.config.source import SiteError
from engine.host.state import CannotRun
from phones import PhoneError, Phones

COLOUR = sys.stdout.isatty()


def _paint(text: str, code: str) -> str:
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def _heading(text: str) -> None:
    print(_paint(f"\n== {text}", "1"), flush=True)


def _say(text: str) -> None:
    print(f"   {text}", flush=True)


def _proven(what: str, happened: bool) -> None:
    mark = _paint("ok  ", "32") if happened else _paint("FAIL", "31")
    print(f"{mark} {what}", flush=True)


def _show_row(row: dict[str, Any]) -> None:
    for name, value in row.items():
        _say(f"{name:>14}  {' → '.join(value) if isinstance(value, list) else value}")


async def _demo(where: Where, stay: bool) -> int:
    names = {user: agent.name for user, agent in sites.load(where.site).agents.items()}
    proof = Proof(_proven)
    _heading(f"starting the hotline of {where.site}")
    async with DemoHotline(where, _say) as hotline:
        watcher = Watcher(hotline.state.api_socket, names, lambda line: print(_paint(line, "36"), flush=True))
        watching = asyncio.Event()
        watch = asyncio.ensure_future(watcher.watch(watching))
        await watching.wait()
        try:
            _heading(f"a call to {NUMBER} (the timeline as it happens; checks in between)")
            async with Phones.start(where.sip) as phones:
                row = await tell(phones, hotline.state, proof, watcher)
            _heading("its row in the database")
            _show_row(row)
            if stay and not proof.failed:
                await _stay(where)
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError, NoEngine):
                await watch
        _heading("stopping")
    return 1 if proof.failed else 0


async def _stay(where: Where) -> None:
    _heading("left running: Ctrl-C stops it")
    state = f"--state {where.state}"
    _say(f"register a softphone: .venv/bin/hotline agents {state} credentials 8001")
    _say(f"and dial {NUMBER} on it, or let a carrier call it:")
    _say(
        f".venv/bin/python -m phones call {NUMBER} --server {where.sip} --bind 127.0.0.2 --caller 13800138000 --keys 1"
    )
    _say("without a softphone, this one answers by itself:")
    _say(
        f"PHONE_PASSWORD=$(cat {where.state}/secrets/phone-8001) .venv/bin/python -m phones register 8001 "
        f"--server {where.sip} --bind 127.0.0.3 --answer-after 2"
    )
    _say(f"the office is open for the demo, whatever the clock says: .venv/bin/hotline hours {state} follow office")
    _say(f"look at it: .venv/bin/hotline calls {state}; hotline call ID, queues, agents, status")
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


async def _until_told_to_stop(demo: Coroutine[Any, Any, int]) -> int:
    """Ctrl-C and SIGTERM end the demo in order: nothing that it started is left running."""
    task = asyncio.ensure_future(demo)
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_, task.cancel)
    return await task


def main() -> int:
    """Runs the demo; every fault is one sentence."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--stay", action="store_true", help="leave the hotline running afterwards")
    parser.add_argument("--bind", default="127.0.0.1", help="SIP address; one of this machine's for other softphones")
    parser.add_argument("--port-base", type=int, default=5060)
    parser.add_argument("--site", type=Path, default=PROJECT)
    parser.add_argument("--state", type=Path, default=Path("var"))
    given = parser.parse_args()
    where = Where(given.site, given.state, given.bind, given.port_base)
    try:
        failed = asyncio.run(_until_told_to_stop(_demo(where, given.stay)))
    except (CannotRun, SiteError, PhoneError, NoEngine, TimeoutError) as error:
        print(_paint(f"the demo failed: {error or type(error).__name__}", "31"), file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        return 0 if given.stay else 130
    print(_paint("the call went through." if not failed else "the demo failed.", "1"))
    return failed


if __name__ == "__main__":
    sys.exit(main())
