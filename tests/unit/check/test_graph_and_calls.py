"""The graph that the checker looks at is the one that calls walk through: played on flows that nobody would write."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.flow.graph import edges, ending, reachable
from tests.unit.simulator.playing import play, site_of

NAMES = [f"s{number}" for number in range(6)]
target = st.sampled_from(NAMES)
step = st.one_of(
    st.fixed_dictionaries(
        {"menu": st.just(["menu-main"]), "keys": st.dictionaries(st.sampled_from("123"), target, min_size=1)},
        optional={"then": target, "when": st.fixed_dictionaries({}, optional={"silence": target, "wrong_key": target})},
    ),
    st.fixed_dictionaries({"play": st.just(["welcome"])}, optional={"then": target}),
    st.fixed_dictionaries(
        {"if": st.sampled_from(["caller.area == ''", "True"])}, optional={"then": target, "else": target}
    ),
    st.fixed_dictionaries(
        {"queue": st.just("sales")},
        optional={"when": st.fixed_dictionaries({}, optional={"timed_out": target, "served": target}), "then": target},
    ),
    st.fixed_dictionaries({"call": st.just("other")}, optional={"then": target}),
    st.just({"hangup": "flow_hangup"}),
)
flows = st.lists(step, min_size=len(NAMES), max_size=len(NAMES)).map(lambda boxes: dict(zip(NAMES, boxes, strict=True)))
other = st.sampled_from([{"x": {"play": ["goodbye"]}}, {"x": {"hangup": "rejected"}}, {"x": {"goto": "main/s3"}}])
keys = st.lists(st.sampled_from(["1", "2", "3", "9", "silence"]), max_size=8).map(",".join)


@settings(max_examples=150)
@given(flows, other, keys, st.sampled_from(["served", "timed_out"]))
def test_calls_walk_only_where_the_graph_has_a_way_and_end_only_where_it_has_an_end(
    main: dict[str, Any], called: dict[str, Any], pressed: str, outcome: str
) -> None:
    site = site_of(main, other=called)
    ways = edges(site.flows)
    story = play({}, pressed, site=site, after={"queue": outcome})
    assert set(story.path) <= reachable(ways, ["main/s0"])
    known = {(edge.source, edge.target) for edge in ways}
    assert all(
        (before, after) in known or (before, None) in known  # the end of a flow that was called
        for before, after in zip(story.path, story.path[1:], strict=False)
    )
    if str(story.end) == "lost loop":
        return
    assert set(story.path) <= ending(ways)
