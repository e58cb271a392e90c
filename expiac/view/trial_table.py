"""A table of trials as lines of text: a sign, a name, and a column for each swept setting. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from expiac.plan import formatting as inline

_LONGEST_VALUE = 16
_SHORTEST_NAME = 12

Row = tuple[str, str, Sequence[str]]
"""A sign, a name and the values."""


def short_headers(keys: Iterable[str]) -> dict[str, str]:
    """What each swept setting is called over its column: its last name, with the one above it where two share that."""
    known = list(keys)
    last = Counter(key.rpartition(".")[2] for key in known)
    parts = {key: key.lstrip("+").split(".") for key in known}
    return {key: ".".join(names[-1:] if last[names[-1]] == 1 else names[-2:]) for key, names in parts.items()}


def trial_values(trial: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    """The values of a trial, each as it reads on one line."""
    return [_value(trial[key]) if key in trial else "" for key in keys]


def _value(value: Any) -> str:
    """A value in a few letters: a number that was drawn has more digits than anybody wants to see."""
    short = f"{value:.4g}" if isinstance(value, float) else ""
    return short if short and float(short) != value else inline.value(value)


def trial_text(trial: Mapping[str, Any], keys: Sequence[str] = ()) -> str:
    """A trial in a sentence: `learning_rate 0.0003, seed 1`."""
    headers = short_headers(keys or trial)
    return ", ".join(f"{headers.get(key, key)} {_value(value)}" for key, value in trial.items())


def aligned(rows: Sequence[Row], width: int) -> list[str]:
    """The rows as lines of at most `width` columns. Names give way to values, and long values are cut."""
    columns = list(zip(*(values for _, _, values in rows), strict=True))
    widths = [min(max(map(len, column)), _LONGEST_VALUE) for column in columns]
    room = max(width - 2 - sum(2 + each for each in widths), _SHORTEST_NAME)
    longest = min(max(len(name) for _, name, _ in rows), room)
    return [_line(row, longest, widths, width) for row in rows]


def _line(row: Row, longest: int, widths: Sequence[int], width: int) -> str:
    sign, name, values = row
    cells = [f"{_cut(value, each):<{each}}" for value, each in zip(values, widths, strict=True)]
    return _cut("  ".join([f"{sign} {_cut(name, longest):<{longest}}", *cells]).rstrip(), width)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[:room - 1] + "…"
