"""Plan and apply of many jobs: what a command costs, where its time goes, and what it writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median as middle
from typing import Any

from benchmarks import project
from benchmarks.measure import Cost, median, python

RUNS = {10_000: 1}
"""The largest takes so long that one run must do."""


def measure(folder: Path, runs: int, sizes: list[int]) -> list[dict[str, Any]]:
    """One row per size and command, the composition cache warm."""
    return [row for size in sizes for row in _of_size(folder / f"scale-{size}", size, min(runs, RUNS.get(size, runs)))]


def _of_size(folder: Path, jobs: int, runs: int) -> Iterator[dict[str, Any]]:
    made = project.make(folder)
    python(["-m", "benchmarks.warming", str(jobs)], made)
    yield _row(made, "plan, all new", jobs, runs, ["plan", "sweep", f"jobs={jobs}"])
    row = _row(made, "apply, all new", jobs, runs, ["apply", "sweep", f"jobs={jobs}", "--yes"], project.without_state)
    state = (made / ".expiac" / "sweep.jsonl").stat().st_size
    yield row | {"written per step": row["written"] / jobs, "file per step": state / jobs}
    yield _row(made, "plan, no changes", jobs, runs, ["plan", "sweep", f"jobs={jobs}", "--detailed-exitcode"])


def _row(folder: Path, what: str, jobs: int, runs: int, command: list[str],
         before: Callable[[Path], None] = lambda _: None) -> dict[str, Any]:
    """The medians of several runs; phases likewise."""
    costs: list[Cost] = []
    reports: list[dict[str, Any]] = []
    for _ in range(runs):
        before(folder)
        costs.append(python(["-m", "benchmarks.phases", "phases.json", *command], folder))
        reports.append(json.loads((folder / "phases.json").read_text(encoding="utf-8")))
    cost = median(costs)
    phases = {name: middle(report["seconds"].get(name, 0.0) for report in reports) for name in reports[0]["seconds"]}
    return {"command": what, "jobs": jobs, "wall": cost.wall, "cpu": cost.cpu, "peak": cost.peak, "phases": phases,
            "written": reports[-1]["written"]}
