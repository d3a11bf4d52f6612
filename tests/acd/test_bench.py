"""`hotline bench acd` on a call centre so small that it says nothing: only what it prints is looked at."""

from __future__ import annotations

import io

import orjson
from rich.console import Console

from bench.acd.report import goals, json_line, print_result
from bench.acd.run import Plan, measure

SMALL = Plan(agents=1_000, waiting=200, clients=2, width=4, rate=100, seconds=0.3, rounds=2, sizes=(100, 120))


async def test_the_benchmark_measures_every_figure_and_says_which_goals_were_reached() -> None:
    told = Console(file=io.StringIO())
    result = await measure(SMALL, told)
    print_result(told, result)
    line = orjson.loads(json_line(result))
    assert line["cycles_per_s"] > 0
    assert 0 < line["decision_ms"]["p50"] <= line["decision_ms"]["p99"]
    assert line["cost_ratio"] > 0
    assert line["bytes_per_agent"] > 0
    assert line["requirements"] == 200
    assert isinstance(told.file, io.StringIO)
    said = told.file.getvalue()
    assert all(goal in said for goal in goals(result))
