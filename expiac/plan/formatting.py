"""Values on one line, in as much room as there is. Pure; knows nothing of plans."""

from __future__ import annotations

import json
from typing import Any

from expiac.plan.model import MISSING


def value(thing: Any) -> str:
    """A value on one line; text is quoted only where it could be read as something else."""
    if thing is MISSING:
        return "absent"
    if isinstance(thing, str):
        return thing if _is_plain(thing) else json.dumps(thing, ensure_ascii=False)
    return json.dumps(thing, ensure_ascii=False, default=str)


def printable(text: str, *, room: int | None = None) -> str:
    """The text with every character that a terminal would obey, such as a colour or a change of direction, escaped.

    A longer one is cut to `room` characters before that.
    """
    if room is not None and len(text) > room:
        text = text[: room - 1] + "…"
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def _is_plain(word: str) -> bool:
    if not word or word != word.strip() or not word.isprintable() or word[0] in "\"'[{" or word == "absent":
        return False
    try:
        json.loads(word)
    except ValueError:
        return True
    return False


def difference(before: str, after: str, room: int) -> str:
    """`before → after` in `room` columns of values, cut so that the place where they begin to differ is seen."""
    half = room // 2
    before_room = max(half, room - len(after))
    after_room = max(half, room - len(before))
    pairs = zip(before, after, strict=False)
    common = next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(before), len(after)))
    start = common - half // 2 if common > half - 4 else 0
    return f"{_window(before, start, before_room)} → {_window(after, start, after_room)}"


def _window(word: str, start: int, room: int) -> str:
    if len(word) <= room:
        return word
    start = min(start, len(word) - room)
    seen = word[start:] if start <= 0 else "…" + word[start + 1 :]
    return seen if len(seen) <= room else seen[: room - 1] + "…"


def end(path: str, room: int) -> str:
    """The end of a key path, which says most, in `room` columns."""
    return path if len(path) <= room else "…" + path[1 - room :]


def duration(seconds: float) -> str:
    """`45s`, `1m 20s`, `2h 05m`, `3d 04h`."""
    whole = round(seconds)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if days:
        return f"{days}d {hours % 24:02}h"
    if hours:
        return f"{hours}h {minutes % 60:02}m"
    return f"{minutes}m {whole % 60:02}s" if minutes else f"{whole}s"
