"""Callers and agents: SIPp with the two scenarios of bench/sipp."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from bench import voice
from bench.children import Child, spawn
from bench.network import HOTLINE_NUMBER, Network
from bench.site_files import copy_filled
from bench.system import BenchError

_SCENARIOS = Path(__file__).resolve().parent / "sipp"
# The times of caller.xml, in milliseconds after the answer.
_KEY_AT_MS, _KEY_MS, _TALK_MS = 1100, 200, 2500

CALL_S = 10.0
"""No call of the scenario may live longer."""


def require_sipp() -> None:
    if shutil.which("sipp") is None:
        raise BenchError("SIPp is missing: apt-get install sip-tester")


async def start_agents(network: Network, workdir: Path, *, lifetime_s: float) -> Child:
    """One SIPp that is the phone of every agent; ends by itself after `lifetime_s` at the latest."""
    speech = voice.agent(until_ms=_TALK_MS)
    command = [
        *(
            "sipp",
            "-sf",
            _scenario("agent", workdir, speech),
            "-i",
            network.agents.host,
            "-p",
            str(network.agents.port),
        ),
        *("-mi", network.agents.host, "-mp", str(network.agents_media_port)),
        *("-timeout", str(int(lifetime_s)), *_common(workdir, "agents")),
    ]
    return await spawn("SIPp (agents)", command, log=workdir / "agents.log")


async def start_callers(network: Network, workdir: Path, *, prefix: str, calls: int, cps: float) -> Child:
    """Place `calls` calls at `cps` a second, each from its own number: `prefix` and eight digits."""
    speech = voice.caller(key_at_ms=_KEY_AT_MS, key_ms=_KEY_MS, until_ms=_TALK_MS)
    numbers = workdir / f"numbers_{prefix}.csv"
    numbers.write_text("SEQUENTIAL\n" + "".join(f"{prefix}{call:08d}\n" for call in range(calls)))
    command = [
        *(
            "sipp",
            str(network.system),
            "-sf",
            _scenario("caller", workdir, speech),
            "-s",
            HOTLINE_NUMBER,
            "-inf",
            numbers,
        ),
        *("-i", network.caller.host, "-p", str(network.caller.port)),
        *("-mi", network.caller.host, "-mp", str(network.caller_media_port)),
        *("-r", f"{cps:g}", "-m", str(calls), "-l", str(max(100, int(cps * CALL_S)))),
        *("-timeout", str(int(calls / cps + 2 * CALL_S)), *_common(workdir, f"callers_{prefix}")),
    ]
    return await spawn("SIPp (callers)", command, log=workdir / f"callers_{prefix}.log")


def _scenario(name: str, workdir: Path, speech: Iterator[voice.Packet]) -> Path:
    """The scenario, with what is said in it, in `workdir`."""
    said = workdir / f"{name}.pcap"
    voice.write_pcap(said, speech)
    copy_filled(_SCENARIOS, workdir / "sipp", {"VOICE": str(said)}, pattern=f"{name}.xml")
    return workdir / "sipp" / f"{name}.xml"


def _common(workdir: Path, name: str) -> list[str | Path]:
    # -aa: a system may tell the caller who answered by UPDATE; that is no failure.
    return ["-nostdin", "-aa", "-f", "3600", "-trace_err", "-error_file", workdir / f"{name}_errors.log"]
