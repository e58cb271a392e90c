"""Changes the defaults of a config class in the text of a stack file, and leaves every other byte as it is. Pure.

A default is changed where it is a literal, or a keyword of a call: `lr` of `trainer: T = T(optimizer=O(lr=1e-3))`. It
may stand in `field(default_factory=lambda: …)`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_PLAIN = (bool, int, float, str)
_FIELDS = ("field", "Field")
"""What a class calls to say more of a field than its default."""


class NotEditable(Exception):
    """A default that has to be changed by hand; its text says why."""


@dataclass(frozen=True, slots=True)
class _Edit:
    """A stretch of the file, in bytes, and what takes its place."""

    begin: int
    end: int
    text: str


def with_defaults(source: bytes, class_name: str, values: Mapping[str, Any]) -> bytes:
    """The file in which the fields of a config class, by dotted path, have these defaults; raises `NotEditable`."""
    tree = ast.parse(source)
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    if class_name not in classes:
        raise NotEditable(f"{class_name} is not defined in this file")
    place = _Places(source)
    edits = [_edit(path, value, class_name, classes, place) for path, value in values.items()]
    for edit in sorted(edits, key=lambda edit: edit.begin, reverse=True):
        source = source[:edit.begin] + edit.text.encode() + source[edit.end:]
    return source


class _Places:
    """Where nodes stand, in bytes from the beginning."""

    def __init__(self, source: bytes) -> None:
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def begin(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        return self._lines[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        return self._lines[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)


def _edit(path: str, value: Any, class_name: str, classes: Mapping[str, ast.ClassDef], place: _Places) -> _Edit:
    text = _literal(path, value)
    field, *names = path.split(".")
    found = next((node for node in _fields(class_name, classes) if _name(node) == field), None)
    if found is None:
        return _added_field(path, field, names, value, classes[class_name], place)
    node = _default(found.value)
    for index, name in enumerate(names):
        if not isinstance(node, ast.Call):
            raise NotEditable(f"{path}: the default of {field} is no call whose keywords could be changed")
        keyword = next((one for one in node.keywords if one.arg == name), None)
        if keyword is None:
            return _added_keyword(path, names[index:], text, node, place)
        node = keyword.value
    if node is None:
        raise NotEditable(f"{path}: {field} has no default that could be changed")
    _refuse_code(path, node)
    return _Edit(place.begin(node), place.end(node), text)


def _literal(path: str, value: Any) -> str:
    items = value if isinstance(value, list | tuple) else value.values() if isinstance(value, dict) else [value]
    if not all(item is None or type(item) in _PLAIN for item in items):
        raise NotEditable(f"{path}: its value is no literal")
    return repr(value)


def _fields(class_name: str, classes: Mapping[str, ast.ClassDef]) -> Iterator[ast.AnnAssign]:
    """The fields of a class, and then of its bases in the file."""
    node = classes[class_name]
    yield from (one for one in node.body if isinstance(one, ast.AnnAssign))
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in classes and base.id != class_name:
            yield from _fields(base.id, {name: other for name, other in classes.items() if name != class_name})


def _name(node: ast.AnnAssign) -> str:
    return node.target.id if isinstance(node.target, ast.Name) else ""


def _default(node: ast.expr | None) -> ast.expr | None:
    """The default itself, where `field(default=…)` or `field(default_factory=lambda: …)` holds it."""
    if not isinstance(node, ast.Call) or getattr(node.func, "id", getattr(node.func, "attr", "")) not in _FIELDS:
        return node
    given = {one.arg: one.value for one in node.keywords}
    factory = given.get("default_factory")
    return factory.body if isinstance(factory, ast.Lambda) else given.get("default")


def _added_field(path: str, field: str, names: Sequence[str], value: Any, node: ast.ClassDef, place: _Places) -> _Edit:
    """A field of a base in another file gets its default in a line below the fields of the class."""
    own = [one for one in node.body if isinstance(one, ast.AnnAssign)]
    if names or not own or type(value) not in _PLAIN:
        raise NotEditable(f"{path}: its default is in another file")
    indent = " " * own[-1].col_offset
    at = place.end(own[-1])
    return _Edit(at, at, f"\n{indent}{field}: {type(value).__name__} = {value!r}")


def _added_keyword(path: str, names: Sequence[str], text: str, node: ast.Call, place: _Places) -> _Edit:
    if len(names) > 1 or any(one.arg is None for one in node.keywords):
        raise NotEditable(f"{path}: the default does not name {names[0]}")
    last = [*node.args, *(one.value for one in node.keywords)]
    if last:
        at = max(place.end(one) for one in last)
        return _Edit(at, at, f", {names[0]}={text}")
    at = place.end(node) - 1
    return _Edit(at, at, f"{names[0]}={text}")


def _refuse_code(path: str, node: ast.expr) -> None:
    try:
        ast.literal_eval(node)
    except ValueError:
        raise NotEditable(f"{path}: its default is computed") from None
