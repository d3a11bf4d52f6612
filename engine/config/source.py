"""YAML with a memory: where in which file each value stands, so that an error can point at it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)

_QUOTES = "its value must stand in quotes, it is text and not a number"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a site, where it stands, and what to write instead."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class SiteError(Exception):
    """A site that cannot be used; `faults` lists everything found, not only the first."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(str(fault) for fault in faults))


class Source:
    """One YAML file: its data and the place of every key in it."""

    def __init__(self, path: Path, root: Path) -> None:
        """Raises SiteError when the file cannot be read or is not a YAML mapping."""
        self.name = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
        try:
            text = path.read_text(encoding="utf-8")
            self._node, self.data = _read(text)
        except OSError as error:
            raise SiteError([self.fault((), f"cannot be read: {error.strerror}")]) from error
        except UnicodeDecodeError as error:
            raise SiteError([self.fault((), f"is not UTF-8 text (byte {error.start}); save it as UTF-8")]) from error
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            raise SiteError([Fault(self.name, line, column, f"is not YAML here: {error.problem}")]) from error
        except _NoValue as error:
            raise SiteError([Fault(self.name, error.line, error.column, str(error))]) from error
        if not isinstance(self.data, dict):
            raise SiteError([self.fault((), "must be a mapping (`key: value` lines)")])

    _node: yaml.Node | None = None
    data: Any

    def fault(self, where: Sequence[str | int], message: str) -> Fault:
        """A fault at the key path `where`; at the deepest part of it that the file has."""
        line, column = self._place(where)
        return Fault(self.name, line, column, message)

    def model(self, model: type[Model]) -> Model:
        """The file as `model`. Raises SiteError with every fault at its line."""
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            raise SiteError(list(self.faults(error))) from None

    def faults(self, error: ValidationError, prefix: Sequence[str | int] = ()) -> Iterable[Fault]:
        """What pydantic found, at its lines and in words for the person who wrote the file."""
        for item in error.errors():
            where = [*prefix, *item["loc"]]
            if item["type"] == "string_type" and not isinstance(item["input"], dict | list | None):
                key = where[-1] == "[key]"
                message = f"`{self._written(where)}` must stand in quotes" if key else f"`{where[-1]}`: {_QUOTES}"
            else:
                message = _explain(item["type"], item["msg"], where, item.get("ctx", {}))
            yield self.fault(where, message)

    def _place(self, where: Sequence[str | int]) -> tuple[int, int]:
        node = self._deepest(where)
        return (node.start_mark.line + 1, node.start_mark.column + 1) if node else (1, 1)

    def _written(self, where: Sequence[str | int]) -> str:
        """The key before the last part of `where`, as it stands in the file."""
        node = self._deepest(where)
        return str(node.value) if node is not None and _is_key(node, where[-2]) else str(where[-2])

    def _deepest(self, where: Sequence[str | int]) -> yaml.Node | None:
        """The key or list element at `where`, or at the deepest part of it that the file has."""
        deepest = node = self._node
        for part in where:
            if isinstance(node, yaml.MappingNode):
                found = next(((k, v) for k, v in node.value if _is_key(k, part)), None)
                if found is None:
                    continue  # pydantic also names union branches, which are not in the file
                deepest, node = found
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                deepest = node = node.value[part]
        return deepest


class _NoValue(Exception):  # noqa: N818 - said of what is written
    """A value that looks like one of a kind and is none: 2026-13-45."""

    def __init__(self, node: yaml.Node, error: ValueError) -> None:
        self.line, self.column = node.start_mark.line + 1, node.start_mark.column + 1
        super().__init__(f"`{node.value}` is no value: {error}; put it in quotes if it is meant as text")


def _read(text: str) -> tuple[yaml.Node | None, Any]:
    """What is written, as nodes that know their place and as values; by libyaml, which is ten times faster. Raises
    _NoValue."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        node: yaml.Node = loader.get_single_node()
        try:
            return node, loader.construct_document(node) if node is not None else None
        except ValueError as error:
            raise _NoValue(_culprit(node), error) from error
    finally:
        loader.dispose()


def _culprit(node: yaml.Node) -> yaml.Node:
    """The first value in a file that cannot be made; the whole, if each can."""
    loader, waiting = yaml.SafeLoader(""), [node]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, yaml.ScalarNode):
            try:
                loader.construct_object(part)
            except ValueError:
                return part
        elif isinstance(part, yaml.MappingNode):
            waiting += [each for pair in part.value for each in pair]
        elif isinstance(part, yaml.SequenceNode):
            waiting += part.value
    return node


def _is_key(node: yaml.Node, part: str | int) -> bool:
    if str(node.value) == str(part):
        return True
    # 010 without quotes is the number 8, and `yes` is true: pydantic names what YAML made of it.
    if not isinstance(node, yaml.ScalarNode) or node.style:  # a plain one has "" from libyaml, None from Python
        return False
    meant = yaml.safe_load(node.value)
    return bool(meant == part or str(meant) == str(part))


def _explain(kind: str, message: str, where: Sequence[str | int], context: dict[str, Any]) -> str:
    key = next((part for part in reversed(where) if part != "[key]"), "")  # pydantic's mark of a faulty key
    if kind == "extra_forbidden":
        return f"`{key}` is not a setting here; remove it or check its spelling"
    if kind == "missing":
        return f"`{key}` is missing"
    if kind == "value_error":
        return f"`{key}`: {context.get('error', message)}"
    return f"`{key}`: {message[0].lower()}{message[1:]}"


def nearest(name: str, known: Iterable[str]) -> str:
    """' (did you mean `x`?)' when something known is close to `name`, else what there is."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f" (did you mean `{close[0]}`?)"
    return f" (there are: {', '.join(known[:12])})" if known else " (there are none)"
