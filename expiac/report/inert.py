"""Makes text from outside inert: what a terminal or a browser would obey becomes what it shows. Pure.

HTML is escaped by the templates; this is about what stays: escape sequences, control characters, and the characters
that turn the direction of writing.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[PX^_][^\x1b\n]*(?:\x1b\\)?"
                        r"|[ -/]*[0-~])")
_OBEYED = re.compile(r"[^\t\n -~\xa0-\xac\xae-\u0377]")
"""Nearly all text has none of these, and is done."""
_KINDS = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def inert(text: str, limit: int) -> str:
    """The text without escape sequences, with control and direction characters spelled out, and cut to a length."""
    left_out = len(text) - limit
    plain = _SEQUENCES.sub("", text[:limit]).replace("\r\n", "\n")
    shown = _OBEYED.sub(_spell, plain)
    return f"{shown}… ({left_out:,} more characters)" if left_out > 0 else shown


def inert_values(value: Any, limit: int) -> Any:
    """A JSON value whose texts are inert; keys are of our own."""
    match value:
        case str():
            return inert(value, limit)
        case dict():
            return {key: inert_values(inner, limit) for key, inner in value.items()}
        case list() | tuple():
            return [inert_values(inner, limit) for inner in value]
    return value


def _spell(found: re.Match[str]) -> str:
    character = found[0]
    if unicodedata.category(character) not in _KINDS:
        return character
    return f"\\u{ord(character):04x}" if ord(character) > 0xFF else f"\\x{ord(character):02x}"
