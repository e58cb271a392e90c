"""From speeds to ratios, tables and JSON. Knows nothing of processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.trainer_peers.entries import REFERENCE, Entry
from benchmarks.trainer_peers.running import Turns

Speeds = dict[Entry, list[float]]
"""Samples per second of each round."""
Fastest = dict[str, Entry]
"""The entry of each title."""


def speeds_of(turns: Turns) -> Speeds:
    """The speeds of all turns."""
    return {entry: [turn.speed for turn in each] for entry, each in turns.items()}


def fastest(speeds: Mapping[Entry, Sequence[float]], cores: int) -> Fastest:
    """Of each title the entry on so many cores that has the highest median; of equal ones the first."""
    found: Fastest = {}
    for entry in speeds:
        known = found.get(entry.title)
        if entry.setting.cores == cores and (known is None or median(speeds[entry]) > median(speeds[known])):
            found[entry.title] = entry
    return found


def ratios(speeds: Sequence[float], reference: Sequence[float]) -> list[float]:
    """Round by round."""
    return [speed / other for speed, other in zip(speeds, reference, strict=True)]


def spread(values: Sequence[float], pattern: str) -> str:
    """The median, and in brackets the least and the largest."""
    return f"{median(values):{pattern}} ({min(values):{pattern}}–{max(values):{pattern}})"


def tables(speeds: Speeds) -> str:
    """One for each number of cores. Ratios are those to the reference on as many."""
    return "\n\n".join(_table(speeds, cores) for cores in sorted({entry.setting.cores for entry in speeds}))


def _table(speeds: Speeds, cores: int) -> str:
    found = fastest(speeds, cores)
    reference = found.get(REFERENCE)
    head = ["one core" if cores == 1 else f"{cores} cores", *(["setting"] if cores > 1 else []), "samples/s",
            f"× {REFERENCE}"]  # fmt: skip
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * (len(head) - 2) + ['---:'] * 2)} |"]
    for title, entry in found.items():
        times = "–" if reference is None else spread(ratios(speeds[entry], speeds[reference]), ".2f")
        setting = [str(entry.setting)] if cores > 1 else []
        lines.append(f"| {' | '.join([title, *setting, spread(speeds[entry], ',.0f'), times])} |")
    return "\n".join(lines)


def rows(turns: Turns) -> list[dict[str, Any]]:
    """Every entry with what came of every round, for JSON."""
    return [
        {
            "title": entry.title,
            "cores": entry.setting.cores,
            "workers": entry.setting.workers,
            "threads": entry.setting.threads,
            "ranks": entry.setting.ranks,
            "samples per second": [turn.speed for turn in each],
            "cores of other work": [turn.others for turn in each],
        }
        for entry, each in turns.items()
    ]
