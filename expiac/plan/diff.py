"""Compares two sets of inputs, field by field. Knows neither what a field means nor what follows from a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from expiac.declare.fields import Kind
from expiac.plan.model import ABSENT, Change

CONFIG = "config"
"""The input that holds a composed training config. Its key paths stand alone, as its author knows them."""


def diff(before: Mapping[str, Any], after: Mapping[str, Any], kinds: Mapping[str, Kind]) -> tuple[Change, ...]:
    """The differing leaves of two nested inputs, in the order of their key paths.

    A list is one value: an element of it has no name that would survive an insertion.
    """
    if repr(before) == repr(after):
        return ()
    return tuple(
        Change(path, old, new, kinds.get(key, Kind.IDENTITY))
        for key in sorted({*before, *after})
        for path, old, new in _leaves(_shown(key), before.get(key, ABSENT), after.get(key, ABSENT))
    )


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a key path, or one that it stands in, is meant by a pattern: `gpus`, `trainer.*`."""
    return any(fnmatchcase(path, pattern) or path.startswith(f"{pattern}.") for pattern in patterns)


def _shown(key: str) -> str:
    return "" if key == CONFIG else key


def _leaves(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}, key=str):
            inner = f"{path}.{key}" if path else str(key)
            yield from _leaves(inner, old.get(key, ABSENT), new.get(key, ABSENT))
    elif repr(old) != repr(new):  # 1, 1.0 and True are equal to Python and not to a trainer
        yield path or CONFIG, old, new
