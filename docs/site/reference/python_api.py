"""The public names of Python modules: their signatures, docstrings and fields."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from docs.site.reference.markdown import block, code, definition, paragraphs, sentence
from expiac.declare.field_docs import field_texts
from expiac.declare.fields import Kind

MODULES = {"expiac": "Python: declarations", "expiac.api": "Python: commands", "expiac.provider": "Python: providers"}
"""Module → the title of its page."""
_LONGEST = 60
"""Characters of a default that is shown, and of a signature on one line."""
_STARS: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def page(module: str) -> str:
    """The names of `__all__` of a module, in its order."""
    of = import_module(module)
    head = f"# {MODULES[module]}\n\nWhat `from {module} import …` finds.\n\n"
    return head + "\n".join(f"## {code(name)} {{ #{name} }}\n\n{_body(name, getattr(of, name))}" for name in of.__all__)


def _body(name: str, value: Any) -> str:
    if kinds := [mark for mark in getattr(value, "__metadata__", ()) if isinstance(mark, Kind)]:
        return (f"`{name}[int]` as the type of a field of a resource says that it is of the kind {kinds[0].value}: "
                "[what a change of it means](../lifecycle.md#what-a-change-means).\n")
    if inspect.isclass(value):
        constructor = vars(value).get("__init__") if "__init__" in _own_members(value) else None
        texts = [_summary(value), inspect.cleandoc(getattr(constructor, "__doc__", None) or "")]
        return "\n".join([_signature(name, value), *map(paragraphs, filter(None, texts)), *_fields(value),
                          *_methods(value)])
    if inspect.isfunction(value):
        return _signature(name, value) + "\n" + paragraphs(inspect.getdoc(value) or "")
    text = repr(value)
    return block(f"{name} = {text if len(text) <= _LONGEST else f'{type(value).__name__}(…)'}", "python")


def _signature(name: str, value: Any) -> str:
    """Of a function, or of a class that has a constructor of its own; that of another one is made of its fields."""
    if inspect.isclass(value) and not {"__init__", "__new__"} & _own_members(value):
        return ""
    return block(f"{name}{_unquoted(inspect.signature(value))}", "python")


def _own_members(value: type) -> set[str]:
    """What a class writes itself, and no decorator for it."""
    members = {name: getattr(member, "__func__", member) for name, member in dict(vars(value)).items()}
    return {name for name, member in members.items() if inspect.isfunction(member)
            and member.__code__.co_filename == inspect.getsourcefile(value)}


def _unquoted(signature: inspect.Signature) -> str:
    """A signature with its types as they are written, one parameter a line if it is long."""
    words, is_keyword_only = [], False
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not is_keyword_only:
            is_keyword_only = True
            words.append("*")
        star = _STARS.get(parameter.kind, "")
        kind = "" if parameter.annotation is parameter.empty else f": {_type(parameter.annotation)}"
        default = "" if parameter.default is parameter.empty else f" = {_shortened(parameter.default)}"
        words.append(f"{star}{parameter.name}{kind}{default}")
    answer = "" if signature.return_annotation is signature.empty else f" -> {_type(signature.return_annotation)}"
    line = f"({', '.join(words)}){answer}"
    return line if len(line) <= _LONGEST else "(\n    " + ",\n    ".join(words) + f",\n){answer}"


def _type(annotation: Any) -> str:
    """A type as it is written, without what only checks read: `Annotated[int, Field(ge=1)]` as `int`."""
    if not isinstance(annotation, str):
        return str(getattr(annotation, "__name__", annotation))
    return ast.unparse(_Plain().visit(ast.parse(annotation, mode="eval")))


class _Plain(ast.NodeTransformer):
    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        is_annotated = isinstance(node.value, ast.Name) and node.value.id == "Annotated"
        return node.slice.elts[0] if is_annotated and isinstance(node.slice, ast.Tuple) else node


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else "…"


def _summary(value: type) -> str:
    """The docstring without the list of fields, which stands below it."""
    text = vars(value).get("__doc__")
    is_made = isinstance(text, str) and text.startswith(f"{value.__name__}(")  # by `dataclass`
    return "" if is_made or not isinstance(text, str) else inspect.cleandoc(text)


def _fields(value: type) -> Iterator[str]:
    types: dict[str, str] = {}
    for base in reversed(value.__mro__):
        types |= {name: _type(kind) for name, kind in vars(base).get("__annotations__", {}).items()}
    for field in dataclasses.fields(value) if dataclasses.is_dataclass(value) else ():
        if field.init and not field.name.startswith("_"):
            default = "" if field.default is dataclasses.MISSING else f" = {_shortened(field.default)}"
            text = next((texts[field.name] for texts in map(field_texts, value.__mro__) if field.name in texts), "")
            yield definition(code(f"{field.name}: {types[field.name]}{default}"), sentence(text))


def _methods(value: type) -> Iterator[str]:
    """What a class adds to its bases, where it says what it does."""
    for name, member in vars(value).items():
        function = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        text = inspect.getdoc(function)
        if name.startswith("_") or not text:
            continue
        if isinstance(function, property):
            yield definition(code(f".{name}"), sentence(text))
        elif inspect.isfunction(function):
            signature = " ".join(_unquoted(inspect.signature(function)).split())
            yield definition(code(f".{name}{signature}"), paragraphs(text))
