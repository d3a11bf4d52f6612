"""The expression language: what it understands, and that there is no way out of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.flow.expression import Expression, ExpressionError, Template


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "().__class__.__bases__[0]",
        "(lambda: 1)()",
        "[x for x in (1, 2)]",
        "f'{balance}'",
        "balance ** 9999",
        "balance if balance else 1",
        "length(balance, 1)",
        "open('x')",
        "a := 1",
        "'x' * 1000000 + (",
        "1 if",
        "",
        "a[0]",
        "'a'.upper()",
        "b'bytes'",
        "not_a_function(1)",
        "(" * 300 + ")" * 300,
        "1" + "+1" * 400,
    ],
)
def test_what_is_not_of_the_language_is_refused_when_it_is_read(text: str) -> None:
    with pytest.raises(ExpressionError):
        Expression(text)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        expression = Expression(text)
    except ExpressionError:
        return
    try:
        expression.of({})
    except ExpressionError:
        return


_values = st.one_of(st.none(), st.booleans(), st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6), st.text(max_size=8))
_sources = st.recursive(
    st.sampled_from(["a", "b", "caller.area", "1", "2.5", "'x'", "'7'", "[1, 'x']"]),
    lambda inner: st.one_of(
        st.tuples(
            inner,
            st.sampled_from(["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "and", "or"]),
            inner,
        ).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        inner.map(lambda part: f"(not {part})"),
        inner.map(lambda part: f"length({part})"),
        inner.map(lambda part: f"text({part})"),
    ),
    max_leaves=6,
)


@given(_sources, _values, _values)
def test_whatever_a_call_brings_an_expression_has_a_value_or_says_why_not(source: str, a: object, b: object) -> None:
    expression = Expression(source)
    variables = {"a": a, "b": b, "caller.area": "北京市"}
    try:
        first = expression.of(variables)  # type: ignore[arg-type]
    except ExpressionError:
        return
    assert repr(first) == repr(expression.of(variables))  # type: ignore[arg-type]  # nan is not itself


def test_an_expression_names_the_variables_it_reads() -> None:
    assert Expression("customer.tier == 'VIP' and length(order) > 2").names == {"customer.tier", "order"}


def test_a_template_is_text_with_values_in_it() -> None:
    template = Template("order {order}: {balance + 1} 元, {never_set}")
    assert template.of({"order": "A1", "balance": 2.0}) == "order A1: 3 元, "
    assert template.names == {"order", "balance", "never_set"}
    assert Template("plain").fixed


def test_what_fills_a_template_is_escaped_and_the_template_is_not() -> None:
    template = Template("https://x/{order}")
    assert template.of({"order": "a/b"}, escape=lambda text: text.replace("/", "%2F")) == "https://x/a%2Fb"
