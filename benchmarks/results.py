"""What it costs to list the results of finished runs: read for the first time, and again; beside a plain reading.

The plain reading opens each run's file and makes a dictionary of each line: what a program that syncs runs does at
least. `import` is what the interpreter and the packages cost before a run is looked at.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.finished import STACK
from benchmarks.measure import Cost, in_turns, python

_PLAIN = """
import json, pathlib
for file in pathlib.Path("runs").glob("*/metrics.jsonl"):
    rows = [json.loads(line) for line in file.read_text().splitlines()]
"""
_IMPORT = "import expiac.api, expiac.cli, expiac.analysis.frames"
_TABLE = "import expiac; expiac.results('finished').runs"


def measure(folder: Path, runs: int, sizes: list[int]) -> list[dict[str, Any]]:
    """One row per size and command."""
    return [row for size in sizes for row in _of_size(folder / f"results-{size}", size, runs)]


def _of_size(folder: Path, jobs: int, runs: int) -> list[dict[str, Any]]:
    (folder / "stacks").mkdir(parents=True)
    (folder / "stacks" / "finished.py").write_text(STACK, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        '[tool.expiac.providers]\nfinished = "benchmarks.finished:Finished"\n', encoding="utf-8")

    def expiac(*words: str, cold: bool = False) -> Callable[[], Cost]:
        return _after(folder if cold else None, lambda: python(["-m", "expiac", *words], folder))

    expiac("apply", "finished", f"jobs={jobs}", "--yes")()
    costs = in_turns({
        "plain reading": lambda: python(["-c", _PLAIN], folder),
        "import": lambda: python(["-c", _IMPORT], folder),
        "results().runs, cold": _after(folder, lambda: python(["-c", _TABLE], folder)),
        "results().runs, warm": lambda: python(["-c", _TABLE], folder),
        "expiac results, cold": expiac("results", "finished", cold=True),
        "expiac results, warm": expiac("results", "finished"),
        "expiac runs, cold": expiac("runs", cold=True),
        "expiac runs, warm": expiac("runs"),
        "expiac status, cold": expiac("status", "finished", cold=True),
        "expiac status, warm": expiac("status", "finished"),
    }, runs)
    plain, imports = costs["plain reading"], costs["import"]
    return [{"command": name, "runs": jobs, "wall": cost.wall, "cpu": cost.cpu, "peak": cost.peak,
             "cpu after import": max(0.0, cost.cpu - imports.cpu) if "reading" not in name else cost.cpu,
             "times plain": cost.cpu / plain.cpu} for name, cost in costs.items()]


def _after(folder: Path | None, command: Callable[[], Cost]) -> Callable[[], Cost]:
    """The command; before it, if there is a folder, all that is kept of earlier reads is removed."""

    def run() -> Cost:
        if folder is not None:
            for name in ("results", "states", "progress"):
                shutil.rmtree(folder / ".expiac" / "cache" / name, ignore_errors=True)
        return command()

    return run
