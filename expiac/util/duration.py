"""Lengths of time as people write them: `90` seconds, `90m`, `12h`, `2d`."""

from __future__ import annotations

import re

HOUR, WEEK = 3600.0, 7 * 86400.0
"""Seconds."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"[1-9]\d*[smhd]?", re.ASCII)


def validate(value: int | str | None) -> int | str | None:
    """The value, for a field of a declaration; raises `ValueError` where it is no duration."""
    if value is not None and not _DURATION.fullmatch(str(value)):
        raise ValueError("a duration is in seconds, or such as 90m, 12h, 2d")
    return value


def seconds(value: int | str) -> int:
    """How many seconds it is."""
    text = str(value)
    return int(text) if text.isdigit() else int(text[:-1]) * _SECONDS[text[-1]]
