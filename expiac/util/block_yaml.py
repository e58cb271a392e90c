"""A nested JSON value as YAML, byte for byte as `render.to_yaml` writes it, in a fraction of the time.

Pure. The jobs of a stack have most of their values in common, so each line is made once and remembered. Whatever is
unusual is left to `to_yaml`: a text of several lines, a very long one, a key that is no text, a value that is not JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from expiac.util.render import to_yaml

_LONGEST = 100
"""Characters of a key or value: libyaml writes a long key, or a very long value, in other ways."""
_SCALARS = frozenset(("str", "int", "float", "bool"))


class _Unusual(Exception):
    """A value that is left to `to_yaml`."""


def block_yaml(value: Mapping[str, Any]) -> str | None:
    """The value in block style, without a newline at the end; None where it is unusual."""
    try:
        return "\n".join(_lines(value, "")) if value else "{}"
    except _Unusual:
        return None


def _lines(value: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, part in value.items():
        kind = type(part)
        if kind is dict and part:
            yield f"{indent}{_key(key)}:"
            yield from _lines(part, indent + "  ")
        elif kind is list and part:
            yield f"{indent}{_key(key)}:"
            yield from _items(part, indent)
        else:
            yield _line(indent, key, *_known(kind, part))


def _items(value: Sequence[Any], indent: str) -> Iterator[str]:
    for part in value:
        if type(part) in (dict, list) and part:
            first, *others = (_lines if type(part) is dict else _items)(part, indent + "  ")
            yield f"{indent}- {first[len(indent) + 2:]}"
            yield from others
        else:
            yield f"{indent}- {_leaf(*_known(type(part), part))}"


def _known(kind: type, value: Any) -> tuple[str, Any]:
    """What tells apart values that are equal: 1, 1.0 and True, or 0.0 and -0.0."""
    return (kind.__name__, value) if value else ("", f"{kind.__name__} {value!r}")


@lru_cache(maxsize=1 << 14)
def _line(indent: str, key: Any, kind: str, value: Any) -> str:
    return f"{indent}{_key(key)}: {_leaf(kind, value)}"


@lru_cache(maxsize=1 << 12)
def _leaf(kind: str, value: Any) -> str:
    """The text of a value without parts."""
    if not kind and value in _FALSE:
        return _FALSE[value]
    if kind not in _SCALARS:
        raise _Unusual
    text = str(to_yaml(value))
    if "\n" in text or len(text) > _LONGEST:
        raise _Unusual
    return text


_EMPTY: tuple[Any, ...] = ("", 0, 0.0, -0.0, False, None, {}, [])
_FALSE = {f"{type(value).__name__} {value!r}": str(to_yaml(value)) for value in _EMPTY}


@lru_cache(maxsize=1 << 12)
def _key(key: Any) -> str:
    if type(key) is not str or not key.isprintable():
        raise _Unusual
    return _leaf(*_known(str, key))
