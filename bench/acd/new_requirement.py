"""What a call costs that comes with a requirement not seen before: `python -m bench.acd.new_requirement`.

5,000 agents and 200 requirements, as `hotline bench acd` has them. Until such a call is enqueued, all who meet its
requirement must stand in its line; told are its time, Redis' part of it, and how long the engine stood still at most.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from bench.acd import cost
from bench.acd.population import DOMAIN, agents
from bench.acd.server import Server, server
from engine.acd import Acd, Policy, Step, parse

AGENTS = 5_000
NEW = (
    "mandarin>=4 & sales>=6 & billing>=2",
    "english>=5 & loans>=7 & cards",
    "korean & roaming>=9",
    "english | billing>=3",
    "!mandarin & sales",
    "!trainee",
)


class Lag:
    """How long the event loop did nothing else, at most."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def watch(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.0005)
            self.longest_s = max(self.longest_s, time.perf_counter() - before - 0.0005)


async def measure(redis: Server) -> None:
    acd = Acd(redis.line, domain=DOMAIN, engine="bench", on_notice=lambda _: None)
    await cost.staff(acd, AGENTS)
    who = agents(AGENTS)
    print(f"{'requirement':40}{'meet it':>9}{'ms':>8}{'of Redis':>10}{'stood still':>13}")
    for number, text in enumerate(NEW):
        policy = Policy(steps=(Step(0, text),), lease_ms=30_000, wrapup_ms=0)
        lag = Lag()
        watching = asyncio.create_task(lag.watch())
        await asyncio.sleep(0.05)
        lag.longest_s, redis_ms, began = 0.0, await redis.main_thread_ms(), time.perf_counter()
        await acd.enqueue(f"bench-1700000000000.{number}", queue="new", policy=policy)
        took_ms = 1000 * (time.perf_counter() - began)
        redis_ms = await redis.main_thread_ms() - redis_ms
        watching.cancel()
        met = sum(parse(text).met_by(terms.skills, agent) for agent, terms in who.items())
        print(f"{text:40}{met:9}{took_ms:8.0f}{redis_ms:10.0f}{1000 * lag.longest_s:13.1f}")


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as folder:
        async with server(Path(folder)) as redis:
            await measure(redis)


if __name__ == "__main__":
    asyncio.run(main())
