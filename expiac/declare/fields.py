"""What kind of thing an input field is: data on the field, so that planning needs no provider.

A field says so in its type: `gpus: Placement[int] = 1`. A field that says nothing is identity, the careful choice:
a change nobody classified means a new run, never a silent edit of an old one.
"""

from __future__ import annotations

import dataclasses
from enum import Enum
from functools import cache
from typing import Annotated, Any, TypeVar, get_type_hints


class Kind(str, Enum):
    """How a change of a field is met; `docs/lifecycle.md` has the table."""

    IDENTITY = "identity"
    """Decides the result: a change is a new run."""
    PLACEMENT = "placement"
    """Decides where and on what it runs: a change moves a live run and leaves a finished one alone."""
    ANNOTATION = "annotation"
    """Describes: a change is recorded, and nothing restarts."""
    OPTION = "option"
    """Steers expiac itself, and decides nothing of a run."""


T = TypeVar("T")
Identity = Annotated[T, Kind.IDENTITY]
Placement = Annotated[T, Kind.PLACEMENT]
Annotation = Annotated[T, Kind.ANNOTATION]
Option = Annotated[T, Kind.OPTION]


def kinds_of(cls: type) -> dict[str, Kind]:
    """The kind of each field of the dataclass `cls`, by field name, in order of declaration."""
    return dict(_kinds_of(cls))


def type_hints(cls: Any) -> dict[str, Any]:
    """The types of the fields of a class by name, with what is annotated. Read once for each class: not to be changed.
    """
    return _type_hints(cls)


@cache
def _type_hints(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)


@cache
def _kinds_of(cls: Any) -> dict[str, Kind]:
    hints = type_hints(cls)
    return {field.name: _kind(hints[field.name]) for field in dataclasses.fields(cls)}


def _kind(hint: Any) -> Kind:
    marks = [mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Kind)]
    return marks[-1] if marks else Kind.IDENTITY


def non_default_fields(value: Any, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    """The fields of a dataclass value that differ from their defaults, by name.

    Defaults are left out so that a release which adds a field changes no fingerprint.
    """
    given = {}
    kind: Any = type(value)
    for name, default in _defaults(kind):
        if names is not None and name not in names:
            continue
        current = getattr(value, name)
        if default is dataclasses.MISSING or type(current) is not type(default) or current != default:
            given[name] = current
    return given


@cache
def _defaults(cls: Any) -> tuple[tuple[str, Any], ...]:
    """Each field of a dataclass with its default, which is only compared with; MISSING where it has none."""
    return tuple((field.name, _default(field)) for field in dataclasses.fields(cls))


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
