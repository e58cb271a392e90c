"""`python -m benchmarks.trainer_peers`: measures, prints tables, and writes `benchmarks/trainer_peers.json`."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.measure import ROOT
from benchmarks.peers import has
from benchmarks.tables import machine
from benchmarks.trainer_peers import installing, table
from benchmarks.trainer_peers.entries import CONTESTANTS, NEEDED, Entry, entries
from benchmarks.trainer_peers.running import Turns, rounds

PACKAGES = ("torch", "mettagrid", "numpy", "stable-baselines3", "torchrl")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trainer_peers", description=(
        "Samples per second of expiac's trainer beside other PPO trainers, on the same environment."))
    parser.add_argument("--seconds", type=float, default=3.0, help="of each turn")
    parser.add_argument("--rounds", type=int, default=5, help="in each of which all have one turn")
    parser.add_argument("--patience", type=float, default=0.0, help="seconds that a turn may wait for a quiet machine")
    parser.add_argument("--cores", type=int, choices=(1, 2), help="only what runs on so many cores")
    parser.add_argument("--only", action="append", choices=sorted(CONTESTANTS), help="a contestant; may be repeated")
    parser.add_argument("--every-setting", action="store_true", help="on two cores, of which the fastest counts")
    parser.add_argument("--peers", help="a Python with the trainer and its peers; by default one under build/")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "trainer_peers.json")
    parser.add_argument("overrides", nargs="*", help="of the config, for all: trainer.batch_size=256 …")
    given = parser.parse_args(arguments)
    python = given.peers or installing.interpreter()
    wanted = [
        entry for entry in entries(every_setting=given.every_setting, sizes=tuple(given.overrides))
        if given.cores in (None, entry.setting.cores) and (given.only is None or entry.contestant in given.only)
    ]  # fmt: skip
    versions = installing.versions(python, *PACKAGES)
    print(f"{machine()}; {', '.join(f'{name} {version}' for name, version in versions.items())}", flush=True)
    about = {"machine": machine(), "versions": versions, "seconds": given.seconds, "overrides": given.overrides}
    turns: Turns = {}
    with tempfile.TemporaryDirectory(prefix="expiac-trainer-peers-") as folder:
        for turns in rounds(present(wanted, python), python, Path(folder), seconds=given.seconds, count=given.rounds,
                            patience=given.patience):
            others = median(each[-1].others for each in turns.values())
            print(f"other work computed on {others:.2f} cores in this round", flush=True)
            given.results.write_text(json.dumps({**about, "rows": table.rows(turns)}, indent=1), encoding="utf-8")
    print(f"\n{table.tables(turns)}")


def present(wanted: list[Entry], python: str) -> list[Entry]:
    """The entries for which a Python has what they need."""
    missing = {module for module in {*NEEDED.values()} if not has(python, module)}
    for module in sorted(missing):
        print(f"without {module}, which {python} does not have")
    return [entry for entry in wanted if NEEDED.get(entry.contestant) not in missing]


if __name__ == "__main__":
    main()
