"""One command as a whole fresh process: how long it took, how much of that it computed, how much memory it had.

Knows nothing of expiac, and imports little: a child's peak counts the memory of whoever starts it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process cost."""

    wall: float
    """Seconds from its start to its end."""
    cpu: float
    """Seconds that it computed, in all its threads; other people's work on the machine disturbs this less."""
    peak: float
    """MiB of memory at its largest."""


def python(arguments: Sequence[str], folder: Path) -> Cost:
    """The cost of `python …` in a folder; raises `CalledProcessError` where it fails, with what it said."""
    return command([sys.executable, *arguments], folder, PYTHONPATH=str(ROOT))


def command(words: Sequence[str], folder: Path, **variables: str) -> Cost:
    """The cost of a command in a folder, with these variables besides; raises as `python` does."""
    environment = {**os.environ, "NO_COLOR": "1", **variables}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # whoever has expiac installed does not compile it each time
    said = folder / "said.txt"
    with said.open("wb") as out:
        began = perf_counter()
        child = subprocess.Popen(words, cwd=folder, env=environment, stdout=out, stderr=out)
        _, status, usage = os.wait4(child.pid, 0)
        wall = perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        text = said.read_text(encoding="utf-8", errors="replace")
        raise subprocess.CalledProcessError(child.returncode, child.args, text)
    # Linux counts in KiB, macOS in bytes.
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10))


def median(costs: Sequence[Cost]) -> Cost:
    """Field by field: the medians of several runs."""
    return Cost(*(statistics.median(values) for values in zip(*((c.wall, c.cpu, c.peak) for c in costs), strict=True)))


def in_turns(commands: Mapping[str, Callable[[], Cost]], runs: int) -> dict[str, Cost]:
    """The median cost of each command; run in turns, so that a busy moment of the machine meets all of them alike."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, run in commands.items():
            costs[name].append(run())
    return {name: median(several) for name, several in costs.items()}
