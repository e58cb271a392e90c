"""What Hydra costs: the same plan with nothing composed before, and with everything remembered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import project
from benchmarks.measure import python


def measure(folder: Path, sizes: list[int]) -> list[dict[str, Any]]:
    """One row per size, cold and then warm, one run each: cold ones are long."""
    rows = []
    for jobs in sizes:
        made = project.make(folder / f"composing-{jobs}")
        for state in ("cold", "warm"):
            cost = python(["-m", "benchmarks.phases", "phases.json", "plan", "sweep", f"jobs={jobs}"], made)
            spent = json.loads((made / "phases.json").read_text(encoding="utf-8"))["seconds"]["composition"]
            rows.append({"cache": state, "jobs": jobs, "wall": cost.wall, "cpu": cost.cpu, "peak": cost.peak,
                         "composition per job": spent / jobs})
    return rows
