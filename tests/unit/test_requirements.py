from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.acd.requirements import RequirementError, parse

ANNA = {"mandarin": 5, "billing": 2}


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


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_with_a_position(text: str) -> None:
    try:
        parse(text)
    except RequirementError as fault:
        assert 0 <= fault.position <= len(text)
