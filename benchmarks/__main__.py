"""`python -m benchmarks [startup | composing | scale | results | calls …] [--runs N] [--sizes 10,100]`: measures,
prints tables, and writes `benchmarks/results.json`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import composing, results, scale, sky_calls, startup, tables

NAMES = ("startup", "composing", "scale", "results", "calls")
SIZES = "10,100,1000,10000"
FINISHED_UP_TO = 1000
"""More finished runs are not listed."""
CALLS_UP_TO = 200
"""The calls of more are in proportion."""
COLD_UP_TO = 100
"""Cold composition of more takes minutes, and each costs the same."""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What expiac costs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all where none is given")
    parser.add_argument("--runs", type=int, default=5, help="of which the median counts")
    parser.add_argument("--sizes", default=SIZES, help="numbers of jobs")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results.json"))
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    sizes = [int(size) for size in given.sizes.split(",")]
    measured: dict[str, Any] = {"machine": tables.machine()}
    print(measured["machine"])
    with tempfile.TemporaryDirectory(prefix="expiac-benchmarks-") as folder:
        for name in given.names or NAMES:
            measured[name] = _measured(name, Path(folder), given.runs, sizes)
            print(f"\n{name}\n\n{getattr(tables, name)(measured[name])}", flush=True)
            given.results.write_text(json.dumps(measured, indent=1), encoding="utf-8")


def _measured(name: str, folder: Path, runs: int, sizes: list[int]) -> list[dict[str, Any]]:
    if name == "startup":
        return startup.measure(folder, runs)
    if name == "composing":
        return composing.measure(folder, [size for size in sizes if size <= COLD_UP_TO])
    if name == "calls":
        return sky_calls.measure(folder, [size for size in sizes if size <= CALLS_UP_TO])
    if name == "results":
        return results.measure(folder, runs, [size for size in sizes if size <= FINISHED_UP_TO])
    return scale.measure(folder, runs, sizes)


if __name__ == "__main__":
    main()
