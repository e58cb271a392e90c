"""Metrics that a job prints among other lines: how such a line looks, and how two readings of a log come to one. Pure.

A line is a JSON object with a step, alone on its line; or, with anything before it, the word `expiac-metrics` and a
JSON object. The keys are those of a row of a metrics file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence

MARK = "expiac-metrics"
"""The word before a JSON object that makes a row of metrics of it, whatever stands before the word."""
ASK = "EXPIAC_PRINT_METRICS"
"""Set in the environment of a job whose printed metrics expiac reads."""
STEPS = ("step", "global_step", "_step", "trainer/global_step", "iteration", "iter", "epoch")
"""The keys under which a row may have its step; the first that it has counts."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_MARKED = re.compile(rf"\b{MARK} +(\{{.*\}})\s*$")
_RANK = re.compile(r"^\[(?:default|rank)?\d+\]: ?")
_LONGEST = 1 << 20
"""Characters of a line; a longer one is no row."""


def printed_rows(lines: Iterable[str]) -> Iterator[str]:
    """The rows of metrics among the lines, each as the JSON that was printed."""
    for line in lines:
        if "{" in line and len(line) <= _LONGEST and (row := _row(_COLOUR.sub("", line))):
            yield row


def merge(known: Sequence[str], read: Sequence[str], *, is_beginning: bool = False) -> Sequence[str]:
    """What two readings of a log say together, in order; each is without a gap from its first to its last row.

    If they have no row in common, there are rows between them that nobody has read, or the second is the log of a
    recovered job: it follows the first, unless it is known to be the beginning of the same log.
    """
    if not known or not read:
        return known or read
    common = set(read).intersection(known)
    if not common:
        return [*read, *known] if is_beginning else [*known, *read]
    before = known[:known.index(read[0])] if read[0] in common else ()
    last = max(place for place, row in enumerate(known) if row in common)
    return [*before, *read, *known[last + 1:]]


def _row(line: str) -> str:
    """The JSON of a row; empty where the line is none."""
    marked = _MARKED.search(line)
    text = marked[1] if marked else _RANK.sub("", line.strip())
    if not text.startswith("{"):
        return ""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    is_row = isinstance(values, dict) and (marked is not None or any(name in values for name in STEPS))
    return text if is_row else ""
