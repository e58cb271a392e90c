"""Resolves interpolations as OmegaConf does, and faster, while many configs are checked.

OmegaConf parses an interpolation at each look, in Python, and resolving one config looks at the same one several times:
that is most of the time of a check. What it parses to depends on the text alone, and is only read, so it is kept. A
text of nothing but names, such as `${run_dir}/${run_name}`, needs no parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from omegaconf import base

_NAME = r"(?!(?:true|false|null|inf|nan)\b)[A-Za-z_][A-Za-z0-9_]*"
_NODE = rf"\$\{{\.*{_NAME}(?:\.{_NAME})*\}}"
_SIMPLE = re.compile(rf"(?:[^$\\]|{_NODE})+", re.ASCII | re.DOTALL | re.IGNORECASE)
_NODES = re.compile(rf"({_NODE})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Names:
    """What a text of names and other characters parses to: texts at even places, and the keys of nodes between them."""

    parts: tuple[str, ...]

    def accept(self, visitor: Any) -> Any:
        """As OmegaConf visits a parsed text: a node alone stays what it is, and several parts become one text."""
        texts, keys = self.parts[::2], self.parts[1::2]
        if len(keys) == 1 and not any(texts):
            return visitor.node_interpolation_callback(keys[0], visitor.memo)
        found = list(self.parts)
        for at in range(1, len(found), 2):
            found[at] = str(visitor.node_interpolation_callback(found[at], visitor.memo))
        return "".join(found)


@contextmanager
def parsed_once() -> Iterator[None]:
    """While it lasts, OmegaConf parses each text once at most."""
    omegaconf_base: Any = base
    parse = getattr(omegaconf_base, "parse", None)
    if parse is None:  # an OmegaConf that is written in another way
        yield
        return

    @lru_cache(maxsize=4096)
    def parse_once(text: str) -> Any:
        return _names(text) if _SIMPLE.fullmatch(text) else parse(text)

    omegaconf_base.parse = parse_once
    try:
        yield
    finally:
        omegaconf_base.parse = parse


def _names(text: str) -> _Names:
    parts = _NODES.split(text)
    return _Names(tuple(part[2:-1] if at % 2 else part for at, part in enumerate(parts)))
