"""Compares two sets of inputs, field by field. Knows neither what a field means nor what follows from a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from expiac.declare.fields import Kind
from expiac.plan.kinds import CONFIG, kind_of
from expiac.plan.model import MISSING, Change
from expiac.util.hashing import canonical, digest, exact


def diff(before: Mapping[str, Any], after: Mapping[str, Any], kinds: Mapping[str, Kind]) -> tuple[Change, ...]:
    """The differing leaves of two nested inputs, in the order of their key paths.

    A list is one value: an element of it has no name that would survive an insertion.
    """
    is_one = before == after and exact(before) == exact(after)  # the rule, and faster
    if is_one or canonical(before) == canonical(after):
        return ()
    return tuple(
        Change(path, old, new, kind_of(kinds, key, path))
        for key in sorted({*before, *after})
        for path, old, new in _leaves(_shown(key), before.get(key, MISSING), after.get(key, MISSING))
    )


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a key path, or one that it stands in, is meant by a pattern: `gpus`, `trainer.*`."""
    return any(fnmatchcase(path, pattern) or path.startswith(f"{pattern}.") for pattern in patterns)


def settings_digest(inputs: Mapping[str, Any], kinds: Mapping[str, Kind], ignored: Iterable[str]) -> str:
    """A digest of the leaves that decide a result or where it is made, without those that a pattern ignores."""
    patterns = tuple(ignored)
    found = ((key, path, value) for key, whole in inputs.items() for path, value in leaves(_shown(key), whole))
    return digest(sorted([path, canonical(value)] for key, path, value in found
                         if kind_of(kinds, key, path) in (Kind.IDENTITY, Kind.PLACEMENT)
                         and not matches(path, patterns)))


def leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Each value in a nested one that is no section, with its key path; an empty section is a value."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from leaves(f"{path}.{key}" if path else str(key), inner)
    else:
        yield path or CONFIG, value


def _shown(key: str) -> str:
    return "" if key == CONFIG else key


def _leaves(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}, key=str):
            inner = f"{path}.{key}" if path else str(key)
            yield from _leaves(inner, old.get(key, MISSING), new.get(key, MISSING))
    elif not _are_same(old, new):
        yield path or CONFIG, old, new


def _are_same(old: Any, new: Any) -> bool:
    """Whether two values are one to a trainer that reads them as JSON or YAML.

    1, 1.0 and True differ, which are equal to Python; the order of a mapping's keys, and a tuple in place of a list,
    make no difference.
    """
    if old is MISSING or new is MISSING:
        return old is new
    return canonical(old) == canonical(new)
