"""How long a user waits for the first line: `--help` against a bare typer app, and a plan of one job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import project
from benchmarks.measure import Cost, in_turns, python

_CODE = "import sys; sys.argv[0] = 'expiac'; from expiac.cli import main; main()"


def measure(folder: Path, runs: int) -> list[dict[str, Any]]:
    """One row per command; each in a fresh process, all of them in turns."""
    made = project.make(folder / "startup")

    def expiac(*arguments: str) -> Cost:
        return python(["-c", _CODE, *arguments], made)

    expiac("plan", "sweep", "jobs=1", "--no-refresh")
    costs = in_turns({
        "python -c pass": lambda: python(["-c", "pass"], made),
        "bare typer --help": lambda: python(["-m", "benchmarks.bare", "--help"], made),
        "expiac --help": lambda: expiac("--help"),
        "expiac plan, 1 job, --no-refresh": lambda: expiac("plan", "sweep", "jobs=1", "--no-refresh"),
    }, runs)
    bare = costs["bare typer --help"]
    return [{"command": name, "wall": cost.wall, "cpu": cost.cpu, "peak": cost.peak,
             "times bare": cost.cpu / bare.cpu} for name, cost in costs.items()]
