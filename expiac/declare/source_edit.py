"""Changes the defaults of a config class in the text of a stack file, and leaves every other byte as it is. Pure.

A default is changed where it is a literal, or a keyword of a call: `lr` of `trainer: T = T(optimizer=O(lr=1e-3))`. It
may stand in `field(default_factory=lambda: …)`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_PLAIN = (bool, int, float, str)
_NO_LITERALS = ("inf", "-inf", "nan")
_FIELDS = ("field", "Field")
"""What a class calls to say more of a field than its default."""
_PARENTHESES = re.compile(rb"(\s*\))*")
"""What closes around an argument."""


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
    for path, value in values.items():  # each in the file as the one before left it: two may be added at one place
        edit = _edit(path, value, class_name, _classes(source, class_name), _Places(source))
        source = source[:edit.begin] + edit.text.encode() + source[edit.end:]
    return source


def _classes(source: bytes, class_name: str) -> Mapping[str, ast.ClassDef]:
    try:
        source.decode()
        tree = ast.parse(source)
    except UnicodeDecodeError:
        raise NotEditable("the file is not UTF-8") from None
    except SyntaxError as error:
        raise NotEditable(f"line {error.lineno} is laid out in a way that is not understood") from None
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    if class_name not in classes:
        raise NotEditable(f"{class_name} is not defined in this file")
    return classes


class _Places:
    """Where nodes stand, in bytes from the beginning."""

    def __init__(self, source: bytes) -> None:
        self._source, self._texts = source, source.splitlines(keepends=True)
        self._lines = [0]
        for line in self._texts:
            self._lines.append(self._lines[-1] + len(line))

    def begin(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        return self._lines[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        return self._lines[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def end_of_argument(self, node: ast.expr) -> int:
        """The same, behind the parentheses in which it stands, which are no part of a node; not those of its call."""
        closed = _PARENTHESES.match(self._source, self.end(node))
        return closed.end() if closed else self.end(node)

    def end_of_line(self, node: ast.stmt) -> int:
        """Where the last line of a statement ends, behind its comment."""
        last = (node.end_lineno or node.lineno) - 1
        return self._lines[last] + len(self._texts[last].rstrip(b"\r\n"))

    def line_break(self, node: ast.stmt) -> str:
        """What a line below a statement begins with: a break as the file has it, and the indentation."""
        line = self._texts[node.lineno - 1]
        indent = line[:len(line) - len(line.lstrip())]
        return ("\r\n" if line.endswith(b"\r\n") else "\n") + indent.decode()


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
    if not all(item is None or (type(item) in _PLAIN and repr(item) not in _NO_LITERALS) for item in items):
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
    last: ast.stmt = own[-1]
    for below in node.body[node.body.index(last) + 1:][:1]:
        if isinstance(below, ast.Expr):  # its docstring, which stays with it
            last = below
    at = place.end_of_line(last)
    return _Edit(at, at, f"{place.line_break(own[-1])}{field}: {type(value).__name__} = {value!r}")


def _added_keyword(path: str, names: Sequence[str], text: str, node: ast.Call, place: _Places) -> _Edit:
    if len(names) > 1 or any(one.arg is None for one in node.keywords):
        raise NotEditable(f"{path}: the default does not name {names[0]}")
    inner = [*node.args, *(one.value for one in node.keywords)]
    close = place.end(node) - 1
    if not inner:
        return _Edit(close, close, f"{names[0]}={text}")
    at = min(close, max(place.end_of_argument(one) for one in inner))
    return _Edit(at, at, f", {names[0]}={text}")


def _refuse_code(path: str, node: ast.expr) -> None:
    try:
        ast.literal_eval(node)
    except ValueError:
        raise NotEditable(f"{path}: its default is computed") from None
