"""What an admin may calculate in a flow: `customer.tier == "VIP" and balance > 100`.

Python's own grammar read by its parser, of which only what stands in this file is understood: nothing is
evaluated by Python, no name leads anywhere but to the call's variables.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

Value = str | bool | int | float | None
Variables = Mapping[str, Value]
_Work = Callable[[Variables], Any]

LONGEST = 500
LONGEST_TEXT = 1024
LARGEST = 10**15

_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,10})?")


class ExpressionError(ValueError):
    """What is written is no expression, or this call's values do not fit it. Says which part and why."""


class Expression:
    """One expression, read once. Two of the same text are equal."""

    def __init__(self, text: str) -> None:
        """Raises ExpressionError."""
        self.text = text.strip()
        if len(self.text) > LONGEST:
            raise ExpressionError(f"is longer than {LONGEST} characters; split it over several `set` steps")
        try:
            tree = ast.parse(self.text, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            what = error.msg if isinstance(error, SyntaxError) else "cannot be read"
            raise ExpressionError(f"`{self.text}` is no expression: {what}") from None
        self.names: set[str] = set()
        self._work = self._read(tree.body)

    def of(self, variables: Variables) -> Any:
        """Its value; a variable that was never set is None. Raises ExpressionError."""
        return self._work(variables)

    def holds(self, variables: Variables) -> bool:
        """Its value as yes or no: empty text, 0, None and an empty list are no. Raises ExpressionError."""
        return bool(self._work(variables))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _from_yaml, serialization=core_schema.to_string_ser_schema()
        )

    def _read(self, node: ast.expr) -> _Work:  # noqa: C901 - one case for each construct of the language
        match node:
            case ast.Constant(value=str() | bool() | int() | float() | None as value):
                return lambda _: value
            case ast.Name() | ast.Attribute():
                name = _dotted(node)
                self.names.add(name)
                return lambda variables: variables.get(name)
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                works = [self._read(part) for part in parts]
                return lambda variables: [work(variables) for work in works]
            case ast.BoolOp(op=op, values=parts):
                works = [self._read(part) for part in parts]
                every = all if isinstance(op, ast.And) else any
                return lambda variables: every(bool(work(variables)) for work in works)
            case ast.UnaryOp(op=ast.Not(), operand=part):
                work = self._read(part)
                return lambda variables: not work(variables)
            case ast.UnaryOp(op=ast.USub(), operand=part):
                work = self._read(part)
                return lambda variables: -_number(work(variables))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return _calculation(_ARITHMETIC[type(op)], self._read(left), self._read(right))
            case ast.Compare(left=left, ops=ops, comparators=parts) if all(type(op) in _COMPARISON for op in ops):
                tests = [_COMPARISON[type(op)] for op in ops]
                return _comparison(tests, [self._read(part) for part in (left, *parts)])
            case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]) if name in _FUNCTIONS:
                return _call(name, [self._read(part) for part in parts])
            case ast.Call(func=ast.Name(id=name)):
                raise ExpressionError(f"no function `{name}`; there are {', '.join(sorted(_FUNCTIONS))}")
        raise ExpressionError(f"`{ast.unparse(node)}` is not understood here")


def _from_yaml(value: Any) -> Expression:
    if isinstance(value, Expression):
        return value
    if isinstance(value, bool | int | float):
        return Expression(repr(value))
    if not isinstance(value, str):
        raise ExpressionError("must be an expression, such as `balance > 100`")
    return Expression(value)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    raise ExpressionError(f"`{ast.unparse(node)}` is not understood here")


def _number(value: Any) -> int | float:
    """Keys and many an endpoint's numbers come as text."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value) if "." in value else int(value)
    raise ExpressionError(f"{_shown(value)} is not a number")


def _shown(value: Any) -> str:
    return "an empty value" if value in (None, "") else f"`{str(value)[:40]}`"


def _divide(left: int | float, right: int | float) -> int | float:
    if right == 0:
        raise ExpressionError("divides by zero")
    return left / right


def _rest(left: int | float, right: int | float) -> int | float:
    if right == 0:
        raise ExpressionError("divides by zero")
    return left % right


def _calculation(operation: Callable[[Any, Any], Any], left: _Work, right: _Work) -> _Work:
    def work(variables: Variables) -> Any:
        a, b = left(variables), right(variables)
        if operation is operator.add and isinstance(a, str) and isinstance(b, str):
            return (a + b)[:LONGEST_TEXT]
        result = operation(_number(a), _number(b))
        if abs(result) > LARGEST:
            raise ExpressionError(f"comes to more than {LARGEST:,}")
        return result

    return work


def _comparison(tests: list[Callable[[Any, Any], bool]], parts: list[_Work]) -> _Work:
    def work(variables: Variables) -> bool:
        values = [part(variables) for part in parts]
        return all(test(a, b) for test, a, b in zip(tests, values, values[1:], strict=False))

    return work


def _same(a: Any, b: Any) -> bool:
    """`digits == 5` is true for the text "5": what is a number to one side is compared as one."""
    if isinstance(a, str) != isinstance(b, str) and a is not None and b is not None:
        try:
            return _number(a) == _number(b)
        except ExpressionError:
            return False
    return bool(a == b)


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Numbers as numbers; two texts that are none (times, dates) by their letters; nothing is before anything."""

    def compare(a: Any, b: Any) -> bool:
        if a is None or b is None:
            return False
        try:
            return test(_number(a), _number(b))
        except ExpressionError:
            if isinstance(a, str) and isinstance(b, str):
                return test(a, b)
            raise

    return compare


def _within(a: Any, b: Any) -> bool:
    if isinstance(b, str):
        return isinstance(a, str) and a in b
    if isinstance(b, list):
        return any(_same(a, part) for part in b)
    raise ExpressionError(f"{_shown(b)} is neither a list nor text, so that nothing can be `in` it")


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _divide,
    ast.Mod: _rest,
}
_COMPARISON: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: _same,
    ast.NotEq: lambda a, b: not _same(a, b),
    ast.Lt: _ordered(operator.lt),
    ast.LtE: _ordered(operator.le),
    ast.Gt: _ordered(operator.gt),
    ast.GtE: _ordered(operator.ge),
    ast.In: _within,
    ast.NotIn: lambda a, b: not _within(a, b),
}


def as_text(value: Any) -> str:
    """A value as a person writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return ", ".join(as_text(part) for part in value)
    return str(value)


_FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "length": (1, lambda value: len(as_text(value))),
    "number": (1, _number),
    "text": (1, as_text),
    "round": (1, lambda value: round(_number(value))),
    "starts": (2, lambda value, with_: as_text(value).startswith(as_text(with_))),
    "ends": (2, lambda value, with_: as_text(value).endswith(as_text(with_))),
    "first": (2, lambda value, n: as_text(value)[: max(int(_number(n)), 0)]),
    "last": (2, lambda value, n: as_text(value)[-int(_number(n)) :] if _number(n) > 0 else ""),
}


def _call(name: str, parts: list[_Work]) -> _Work:
    takes, function = _FUNCTIONS[name]
    if len(parts) != takes:
        raise ExpressionError(f"`{name}` takes {takes} value{'s' if takes > 1 else ''}, not {len(parts)}")
    return lambda variables: function(*(part(variables) for part in parts))


_HOLE = re.compile(r"\{\s*([^{}]+?)\s*\}")


class Template:
    """Text with holes: `Your order {order} is {status}`. A hole is an expression."""

    def __init__(self, text: str) -> None:
        """Raises ExpressionError."""
        self.text = text
        self._parts: list[str | Expression] = []
        end = 0
        for hole in _HOLE.finditer(text):
            self._parts += [text[end : hole.start()], Expression(hole[1])]
            end = hole.end()
        self._parts.append(text[end:])

    @property
    def names(self) -> set[str]:
        """The variables in its holes."""
        return {name for part in self._parts if isinstance(part, Expression) for name in part.names}

    @property
    def fixed(self) -> bool:
        """Whether it has no holes."""
        return len(self._parts) == 1

    def of(self, variables: Variables, *, escape: Callable[[str], str] = str) -> str:
        """The text, each hole's value through `escape`. Raises ExpressionError."""
        said = (part if isinstance(part, str) else escape(as_text(part.of(variables))) for part in self._parts)
        return "".join(said)[:LONGEST_TEXT]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _template_from_yaml, serialization=core_schema.to_string_ser_schema()
        )


def _template_from_yaml(value: Any) -> Template:
    if isinstance(value, Template):
        return value
    if not isinstance(value, str):
        raise ExpressionError('must be text in quotes, such as "{balance}"')
    return Template(value)
