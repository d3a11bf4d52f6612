"""The figures of a run as the JSON line has them, and the goals they are held against."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from bench.run import Run
from bench.system import GROUPS

Figures = dict[str, Any]
"""One element of `runs` of the JSON line; CPU and latencies in milliseconds, memory in MB."""


def figures(run: Run) -> Figures:
    calls = run.story.calls.values()
    failures = run.failures()
    cpu = {group: round(run.cost.cpu_ms[group] / run.calls, 2) for group in GROUPS}
    return {
        "system": run.system,
        "cps": int(run.cps) if run.cps.is_integer() else run.cps,
        "calls": run.calls,
        "failed": failures.total(),
        "cpu_ms_per_call": cpu | {"total": round(sum(run.cost.cpu_ms.values()) / run.calls, 2)},
        "key_to_invite_ms": _spread(c.offered_ms - c.key_ms for c in calls if c.offered_ms and c.key_ms),
        "peak_rss_mb": round(sum(run.cost.peak_rss_mb.values()), 1),
        "loop_lag_ms_p99": run.loop_lag_ms_p99,
        "invite_to_200_ms": _spread(c.answered_ms - c.invited_ms for c in calls if c.answered_ms),
        "talk_ms": _spread(c.talk_ms for c in calls if c.talk_ms),
        "look_ups": run.look_ups,
        "offers": sum(c.offers for c in calls),
        "failures": dict(failures),
        "retransmissions": dict(run.story.retransmissions),
        "peak_rss_mb_by_group": {group: round(size, 1) for group, size in run.cost.peak_rss_mb.items() if size},
        "packets_dropped": run.packets_dropped,
        "others_cpu_percent": round(run.cost.others_cpu_percent, 1),
        "stolen_cpu_percent": round(run.cost.stolen_cpu_percent, 1),
    }


def least_disturbed(rounds: Sequence[Figures]) -> Figures:
    """The round with the least CPU a call: what else the machine does can only add to it.

    `rounds` of the result has the others in short, so that a failed call in one of them is not lost.
    """
    short = [
        {
            "failed": figure["failed"],
            "cpu_ms_per_call": figure["cpu_ms_per_call"]["total"],
            "key_to_invite_ms": figure["key_to_invite_ms"],
            "others_cpu_percent": figure["others_cpu_percent"],
        }
        for figure in rounds
    ]
    return min(rounds, key=lambda figure: figure["cpu_ms_per_call"]["total"]) | {"rounds": short}


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of sorted values; `share` from 0 to 1."""
    return values[max(0, math.ceil(share * len(values)) - 1)]


def _spread(values: Iterable[float]) -> dict[str, float | None]:
    ranked = sorted(values)
    if not ranked:
        return {"min": None, "p50": None, "p99": None, "max": None}
    marks = {"min": 0.0, "p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: round(percentile(ranked, share), 2) for name, share in marks.items()}


def goals(hotline: Figures, app_queue: Figures) -> dict[str, bool]:
    """What the engine is held to at one rate, and whether it was reached."""
    cpu, rival_cpu = hotline["cpu_ms_per_call"], app_queue["cpu_ms_per_call"]
    key, rival_key = hotline["key_to_invite_ms"], app_queue["key_to_invite_ms"]
    measured = None not in (key["p50"], key["p99"], rival_key["p50"])
    return {
        "no failed call": not any(one["failed"] for one in hotline["rounds"]),
        "engine + Redis + database <= 8 ms CPU a call": cpu["engine"] + cpu["redis"] + cpu["database"] <= 8,
        "all CPU <= 1.4 x app_queue": cpu["total"] <= 1.4 * rival_cpu["total"],
        "key to INVITE p99 <= 15 ms": measured and key["p99"] <= 15,
        "key to INVITE p50 better than app_queue": measured and key["p50"] < rival_key["p50"],
    }
