"""From turns to ratios, tables and JSON. Knows nothing of processes."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks.trainer_peers.entries import REFERENCE, Entry
from benchmarks.trainer_peers.running import QUIET, Turn, Turns


def quiet_rounds(*several: Sequence[Turn]) -> list[int]:
    """The rounds in which the turns of all of these were quiet; every round if there is none."""
    every = range(len(several[0]))
    return [number for number in every if all(turns[number].others <= QUIET for turns in several)] or list(every)


def fastest(turns: Turns, cores: int) -> dict[str, Entry]:
    """Of each title the entry on so many cores that has the highest median speed; of equal ones the first."""
    found: dict[str, Entry] = {}
    for entry in turns:
        known = found.get(entry.title)
        if entry.setting.cores == cores and (known is None or _median(turns[entry]) > _median(turns[known])):
            found[entry.title] = entry
    return found


def ratios(speeds: Sequence[float], reference: Sequence[float]) -> list[float]:
    """Round by round."""
    return [speed / other for speed, other in zip(speeds, reference, strict=True)]


def spread(values: Sequence[float], pattern: str) -> str:
    """The median, and in brackets the least and the largest."""
    return f"{median(values):{pattern}} ({min(values):{pattern}}–{max(values):{pattern}})"


def tables(turns: Turns) -> str:
    """One for each number of cores. Ratios are those to the reference on as many.

    Turns beside other work are left out where there are quiet ones. JSON has all.
    """
    return "\n\n".join(_table(turns, cores) for cores in sorted({entry.setting.cores for entry in turns}))


def _table(turns: Turns, cores: int) -> str:
    """On one core with samples per second of its processor time, on more with the setting."""
    found, rest = fastest(turns, cores), [f"× {REFERENCE}"]
    head = ["one core", "samples/s", *rest, "samples/CPU s", *rest] if cores == 1 else [
        f"{cores} cores", "setting", "samples/s", *rest]  # fmt: skip
    lines = [head, ["---"] * (1 if cores == 1 else 2) + ["---:"] * (4 if cores == 1 else 2)]
    for title, entry in found.items():
        reference = turns[found[REFERENCE]] if REFERENCE in found else None
        speeds = _cells(turns[entry], reference, "speed")
        lines.append([title, *speeds, *_cells(turns[entry], reference, "cpu_speed")] if cores == 1 else [
            title, str(entry.setting), *speeds])  # fmt: skip
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(turns: Sequence[Turn], reference: Sequence[Turn] | None, field: str) -> tuple[str, str]:
    """A speed, and its ratio, of the rounds that are quiet."""
    speed = spread(_values(turns, field, quiet_rounds(turns)), ",.0f")
    if reference is None:
        return speed, "–"
    common = quiet_rounds(turns, reference)
    return speed, spread(ratios(_values(turns, field, common), _values(reference, field, common)), ".2f")


def _values(turns: Sequence[Turn], field: str, chosen: Sequence[int]) -> list[float]:
    return [getattr(turns[number], field) for number in chosen]


def _median(turns: Sequence[Turn]) -> float:
    return median(_values(turns, "speed", quiet_rounds(turns)))


def rows(turns: Turns) -> list[dict[str, Any]]:
    """Every entry with what came of every round, for JSON."""
    return [
        {
            "title": entry.title,
            "cores": entry.setting.cores,
            "workers": entry.setting.workers,
            "threads": entry.setting.threads,
            "ranks": entry.setting.ranks,
            "async_rollouts": entry.setting.ahead,
            "samples per second": [turn.speed for turn in each],
            "samples per CPU second": [turn.cpu_speed for turn in each],
            "cores of other work": [turn.others for turn in each],
        }
        for entry, each in turns.items()
    ]
