"""Makes any text safe to print on one line: a name or a value of others may hold what moves a terminal. Pure."""

from __future__ import annotations


def printable(text: str, *, room: int | None = None) -> str:
    """The text with every control, direction and line sign as an escape such as `\\x1b`; cut to `room` characters."""
    if room is not None and len(text) > room:
        text = text[: room - 1] + "…"
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else _escape(sign) for sign in text)


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii") if not 0xD800 <= ord(sign) <= 0xDFFF else f"\\u{ord(sign):x}"
