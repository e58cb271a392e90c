"""A nested JSON value as YAML, byte for byte as `render.to_yaml` writes it, some ten times as fast.

Pure. The jobs of a stack have most of their values in common, so each value is written once and its text is remembered.
Whatever is unusual is left to `to_yaml`: a text of several lines, a very long one, a key that is no text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from expiac.util.render import to_yaml

_LONGEST = 100
"""Characters of a key or value: libyaml writes a long key, or a very long value, in other ways."""


class _Unusual(Exception):
    """A value that is left to `to_yaml`."""


def block_yaml(value: Mapping[str, Any]) -> str:
    """The value in block style, without a newline at the end."""
    try:
        return "\n".join(_lines(value, "")) if value else to_yaml(value)
    except _Unusual:
        return str(to_yaml(value))


def _lines(value: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, part in value.items():
        head = f"{indent}{_key(key)}:"
        if type(part) is dict and part:
            yield head
            yield from _lines(part, indent + "  ")
        elif type(part) is list and part:
            yield head
            yield from _items(part, indent)
        else:
            yield f"{head} {_leaf(part)}"


def _items(value: Sequence[Any], indent: str) -> Iterator[str]:
    for part in value:
        if type(part) in (dict, list) and part:
            first, *others = (_lines if type(part) is dict else _items)(part, indent + "  ")
            yield f"{indent}- {first[len(indent) + 2:]}"
            yield from others
        else:
            yield f"{indent}- {_leaf(part)}"


def _leaf(value: Any) -> str:
    if type(value) in (dict, list):
        return repr(value)
    if type(value) not in (str, int, float, bool, type(None)):
        raise _Unusual
    return _scalar(type(value).__name__, repr(value) if type(value) is float else value)  # 0.0 is equal to -0.0


@lru_cache(maxsize=1 << 14)
def _scalar(kind: str, value: Any) -> str:
    """Values that are equal and of other types have other texts."""
    text = str(to_yaml(float(value) if kind == "float" else value))
    if "\n" in text or len(text) > _LONGEST:
        raise _Unusual
    return text


@lru_cache(maxsize=1 << 12)
def _key(key: Any) -> str:
    if type(key) is not str or not key.isprintable():
        raise _Unusual
    return _scalar("str", key)
