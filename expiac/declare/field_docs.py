"""`help(TrainingJob)` shows each field with what stands below it in the source, where Python itself keeps no text."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from abc import ABCMeta
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any

_LONGEST = 40
"""Characters of a default that is shown."""


class WithFieldDocs(ABCMeta):
    # The class of classes whose docstring lists their fields; without one of its own, which the property would hide.

    def __init__(cls, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        cls._is_made = True  # until then only dataclasses and pydantic read the docstring, at each import

    @property
    def __doc__(cls) -> str:
        text = vars(cls).get("__doc__")
        summary = inspect.cleandoc(text if isinstance(text, str) else f"{cls.__name__}.")
        if "_is_made" not in vars(cls) or not dataclasses.is_dataclass(cls):
            return summary
        types = _annotations(cls)
        lines = [_field_doc(cls, field, types) for field in dataclasses.fields(cls) if field.init]
        return "\n".join([summary, "", "Fields:", *lines]) if lines else summary

    @__doc__.setter
    def __doc__(cls, text: str) -> None:
        """What a class says in its body stays: pydantic writes back what it read."""


def _field_doc(owner: type, field: dataclasses.Field[Any], types: Mapping[str, str]) -> str:
    head = f"    {field.name}: {types.get(field.name, field.type)}"
    if field.default is not dataclasses.MISSING:
        default = repr(field.default)
        head += f" = {default if len(default) <= _LONGEST else '…'}"
    text = next((docs[field.name] for docs in map(field_texts, owner.__mro__) if field.name in docs), "")
    return "\n".join([head, *textwrap.wrap(text, 100, initial_indent=" " * 8, subsequent_indent=" " * 8)])


def _annotations(owner: type) -> dict[str, str]:
    """The types as they are written."""
    written: dict[str, str] = {}
    for base in reversed(owner.__mro__):
        written |= {name: kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))
                    for name, kind in vars(base).get("__annotations__", {}).items()}
    return written


@cache
def field_texts(owner: type) -> dict[str, str]:
    """The text below each field of one class; none where its source can't be had."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
    except (OSError, TypeError, SyntaxError):
        return {}
    body = getattr(tree.body[0], "body", [])
    return {field.target.id: inspect.cleandoc(text.value.value)
            for field, text in pairwise(body)
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)}
