"""What one row of a metrics file says, in one form for every format; and what the rows of a run come to. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from expiac.apply.events import Progress
from expiac.providers.printed import STEPS

_TOTAL = ("total_steps", "max_steps", "total")
_ELAPSED = ("elapsed", "_runtime", "time_elapsed")
_NO_METRIC = {*STEPS, *_TOTAL, *_ELAPSED, "time", "timestamp", "_timestamp", "created_at"}


@dataclass(frozen=True, slots=True)
class Row:
    """The metrics of one step; a number that the file does not tell is None."""

    step: float | None
    total_steps: float | None = None
    elapsed: float | None = None
    """Seconds since the run began, all its launches together."""
    metrics: Mapping[str, float] = field(default_factory=dict)


def row_of(values: Mapping[str, Any]) -> Row | None:
    """The row of one JSON object or one line of CSV; None where it holds no number.

    Metrics stand under `metrics`, or beside the step. The step is the first of `step`, `global_step`, `_step`,
    `iteration`, `iter`, `epoch` that the row has.
    """
    nested = values.get("metrics")
    metrics = nested if type(nested) is dict or isinstance(nested, Mapping) else {
        name: value for name, value in values.items() if name not in _NO_METRIC}
    numbers: dict[str, float] = {}
    for name, value in metrics.items():  # a million times for a long run, and nearly always a float
        if type(value) is float:
            numbers[_text(str(name))] = value
        elif _is_number(value):
            numbers[_text(str(name))] = _float(value)
    step = _first(values, STEPS)
    if step is None and not numbers:
        return None
    return Row(step, _first(values, _TOTAL), _first(values, _ELAPSED), numbers)


def own_step(values: Mapping[str, Any]) -> float | None:
    """The step by the trainer's own count, and not by that of its logger, which may begin anew with each launch."""
    return _first(values, [name for name in STEPS if name != "_step"])


def summarize(rows: Iterable[Row]) -> Progress | None:
    """How far a run is: its last step, and the first and the newest value of each metric; None without rows."""
    step = total = elapsed = 0.0
    first: dict[str, float] = {}
    newest: dict[str, float] = {}
    is_empty = True
    for row in rows:
        is_empty = False
        step = step if row.step is None else row.step
        total = total if row.total_steps is None else row.total_steps
        elapsed = elapsed if row.elapsed is None else row.elapsed
        first = {**row.metrics, **first}
        newest.update(row.metrics)
    return None if is_empty else Progress(int(step), int(total), elapsed, newest, first)


def _first(values: Mapping[str, Any], names: Iterable[str]) -> float | None:
    for name in names:
        value = values.get(name)
        if value is not None and _is_number(value) and math.isfinite(number := _float(value)):
            return number
    return None


def _text(name: str) -> str:
    """The name without halves of characters, which JSON can hold and UTF-8 can't."""
    return name if name.isascii() else name.encode("utf-8", "replace").decode("utf-8")


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return math.inf if value > 0 else -math.inf


def _is_number(value: Any) -> bool:
    kind = type(value)
    return kind is float or kind is int or (isinstance(value, (int, float)) and kind is not bool)
