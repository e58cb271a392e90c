"""What composing costs: Hydra alone, a plan with nothing composed before, and one with everything remembered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import project
from benchmarks.measure import python

BARE_UP_TO = 200
"""Hydra alone takes minutes for more, and each costs the same."""


def measure(folder: Path, sizes: list[int]) -> list[dict[str, Any]]:
    """One row per size: Hydra alone, as far as that does not take minutes; then cold and warm. One run each."""
    rows = []
    for jobs in sizes:
        made = project.make(folder / f"composing-{jobs}")
        if jobs <= BARE_UP_TO:
            cost = python(["-m", "benchmarks.bare_compose", "bare.json", str(jobs)], made)
            spent = json.loads((made / "bare.json").read_text(encoding="utf-8"))["seconds per config"]
            rows.append({"cache": "none: Hydra alone", "jobs": jobs, "wall": cost.wall, "cpu": cost.cpu,
                         "peak": cost.peak, "composition per job": spent})
        for state in ("cold", "warm"):
            cost = python(["-m", "benchmarks.phases", "phases.json", "plan", "sweep", f"jobs={jobs}", "rates=true"],
                          made)
            spent = json.loads((made / "phases.json").read_text(encoding="utf-8"))["seconds"].get("composition", 0.0)
            rows.append({"cache": state, "jobs": jobs, "wall": cost.wall, "cpu": cost.cpu, "peak": cost.peak,
                         "composition per job": spent / jobs})
    return rows
