from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.acd.conditions import implies
from engine.acd.requirements import RequirementError, parse

ANNA = {"mandarin": 5, "billing": 2, "queue:home": 1}


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("any", True),
        ("mandarin", True),
        ("sales", False),
        ("mandarin>=5", True),
        ("mandarin>5", False),
        ("mandarin = 5 & billing < 3", True),
        ("mandarin>=3 & billing>=5", False),
        ("sales | billing", True),
        ("!sales", True),
        ("!mandarin & any", False),
        ("!(sales | billing)", False),
        ("sales & billing | mandarin", True),
        ("sales & (billing | mandarin)", False),
        ("sales=0", True),
        ("sales!=0", False),
        ("agent:8001", True),
        ("agent:8002", False),
        ("agent:8002 | mandarin", True),
        ("财务<=0", True),
        ("queue:billing", False),
        ("queue : sales | queue:home", True),
        ("!queue:home", False),
    ],
)
def test_expression_means_what_it_says(text: str, met: bool) -> None:
    assert parse(text).met_by(ANNA, "8001") is met


@pytest.mark.parametrize(
    ("text", "position", "remedy"),
    [
        ("", 1, "write `any`"),
        ("sales billing", 7, "`&` or `|` is missing"),
        ("sales >=", 7, "needs a level"),
        ("sales >= x", 7, "needs a level"),
        ("(sales", 1, "never closed"),
        ("sales)", 6, "closes nothing"),
        ("sales ? 3", 7, "'?' has no meaning"),
        ("agent:", 1, "agent:8001"),
        ("queue: & sales", 1, "queue:sales"),
        ("sales &", 8, "ends too early"),
        ("& sales", 1, "must stand here"),
        ("sales 5", 7, "a level needs a comparison"),
        ("(" * 60 + "a" + ")" * 60, 51, "nested deeper"),
        ("!" * 60 + "a", 51, "nested deeper"),
    ],
)
def test_fault_names_its_place_and_the_remedy(text: str, position: int, remedy: str) -> None:
    with pytest.raises(RequirementError) as fault:
        parse(text)
    assert fault.value.position + 1 == position
    assert f"character {position}:" in str(fault.value)
    assert remedy in str(fault.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a & b", "b&a"),
        ("a & (b & c)", "c & b & a"),
        ("a|b|a", "b | a"),
        ("a>2", "a>=3"),
        ("a", "a >= 1"),
        ("!!a", "a"),
        ("(a)", "a"),
        ("a && b || c", "c | a & b"),
        ("agent : 8001", "agent:8001"),
        ("queue : sales", "queue:sales"),
        ("billing>=8 | billing>=5", "billing>=5"),
        ("billing>=8 & billing>=5", "billing>=8"),
        ("billing>=8 & english | billing>=5", "billing>=5"),
        ("a | a & b", "a"),
        ("a & (a | b)", "a"),
        ("a & any", "a"),
        ("a | any", "any"),
        ("a<=2 | a<=4", "a<=4"),
        ("a=3 | a>=2", "a>=2"),
        ("!a>=2 & !a>=5", "!a>=2"),
        ("a>=5 & b | a>=3 & b", "a>=3 & b"),
        ("(a | b) & (a>=4 | b>=4)", "a>=4 | b>=4"),
    ],
)
def test_same_meaning_has_the_same_text_and_id(one: str, other: str) -> None:
    assert (parse(one).text, parse(one).id) == (parse(other).text, parse(other).id)


_expressions = st.recursive(
    st.one_of(
        st.just("any"),
        st.sampled_from(["agent:1", "agent:2"]),
        st.builds(
            "{}{}{}".format,
            st.sampled_from("abc"),
            st.sampled_from([">=", "<=", "<", ">", "=", "!="]),
            st.integers(0, 9),
        ),
    ),
    lambda inner: st.one_of(
        st.builds("!({})".format, inner),
        st.builds("({}) & ({})".format, inner, inner),
        st.builds("({}) | ({})".format, inner, inner),
    ),
    max_leaves=8,
)


@given(_expressions, st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)), st.sampled_from(["1", "2", "3"]))
def test_canonical_text_reads_back_as_itself_with_the_same_meaning(
    text: str, skills: dict[str, int], agent: str
) -> None:
    parsed = parse(text)
    again = parse(parsed.text)
    assert (again.text, again.id) == (parsed.text, parsed.id)
    python = text.replace("!=", "<>").replace("!", " not ").replace("<>", "!=")
    for name in "abc":
        for comparison in (">=", "<=", "!=", "<", ">", "="):
            python = python.replace(
                f"{name}{comparison}", f"{skills.get(name, 0)}{'==' if comparison == '=' else comparison}"
            )
    python = python.replace("any", "True").replace("&", " and ").replace("|", " or ")
    for id_ in ("1", "2"):
        python = python.replace(f"agent:{id_}", str(agent == id_))
    assert parsed.met_by(skills, agent) is eval(python)  # noqa: S307 - built above from known pieces
    assert bool(parsed.lacks(skills, agent)) is not parsed.met_by(skills, agent)


@given(_expressions, _expressions, st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)), st.sampled_from("123"))
def test_what_follows_from_another_holds_for_whoever_meets_that(
    one: str, other: str, skills: dict[str, int], agent: str
) -> None:
    if implies(parse(one).root, parse(other).root):
        assert parse(other).met_by(skills, agent) or not parse(one).met_by(skills, agent)


def test_a_long_requirement_of_many_alternatives_within_others_is_read_at_once() -> None:
    text = "z"
    for level in range(1, 25):
        text = f"a>={level} & (b>={level} | ({text}))"
    began = time.perf_counter()
    parse(f"({text}) | ({text.replace('z', 'y')})")
    assert time.perf_counter() - began < 2.0


@pytest.mark.parametrize(
    ("text", "proficiency"),
    [
        ("any", 0),
        ("mandarin>=3", 5),
        ("mandarin>=3 & billing", 7),
        ("mandarin>=3 | billing>=9", 7),
        ("mandarin>=3 & (mandarin | billing>=9)", 5),
        ("mandarin & !billing", 5),
        ("mandarin & billing<=3", 5),
        ("sales | agent:8001", 0),
    ],
)
def test_proficiency_is_the_sum_of_the_levels_in_the_skills_that_are_asked_for(text: str, proficiency: int) -> None:
    assert parse(text).proficiency(ANNA) == proficiency


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("mandarin", ()),
        ("mandarin>=8 & sales & billing", ("mandarin>=8", "sales")),
        ("mandarin>=8 & sales | billing>=3", ("billing>=3",)),
        ("!mandarin & agent:8002", ("!mandarin", "agent:8002")),
    ],
)
def test_what_somebody_lacks_is_the_least_that_would_do(text: str, lacks: tuple[str, ...]) -> None:
    assert parse(text).lacks(ANNA, "8001") == lacks


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_with_a_position(text: str) -> None:
    try:
        parse(text)
    except RequirementError as fault:
        assert 0 <= fault.position <= len(text)
