"""A plan of many jobs of which nothing changed: `expiac plan`, and what other programs take to find that out.

    python -m benchmarks.plans [--jobs N] [--runs N] [--peers PYTHON]

PYTHON is an interpreter with snakemake and DVC; one that it lacks is left out. Every job is a command that does
nothing, and for the other two has one small output, which is there and recorded. What the programs do is not all the
same: DVC and snakemake look at a file for each job, and expiac at the backend, which is a provider in memory, and at
what the program declares. In turns, so that a busy moment of the machine meets all alike.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.measure import Cost, command, in_turns, python

STACK = """\
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

HERE = SkypilotJobConfig(infra="memory", workdir=None)


class Config(ExperimentConfig):
    name: str = "tiny"
    jobs: int = 1


def stack(config: Config) -> Stack:
    return Stack(config.name, [Job(f"job_{n}", run="true", skypilot=HERE) for n in range(config.jobs)])
"""
PROJECT = """\
[tool.expiac.providers]
memory = "benchmarks.backend:Backend"
"""
SNAKEFILE = """\
rule all:
    input: expand("out/{n}", n=range(int(config["jobs"])))

rule one:
    output: touch("out/{n}")
    shell: "true"
"""
QUIET = {"DVC_NO_ANALYTICS": "1", "ITERATIVE_DO_NOT_TRACK": "1"}
"""DVC tells nobody that it was used."""


class Peers:
    """A folder for each program, in which all jobs are done, and the command that says so."""

    def __init__(self, folder: Path, peers: str, jobs: int) -> None:
        self._folder, self._peers, self._jobs = folder, peers, jobs

    def commands(self) -> dict[str, Callable[[], Cost]]:
        """Those that are there, each of which has been run once."""
        known = {"expiac": self.expiac, "snakemake": self.snakemake, "dvc": self.dvc}
        found = {name: make() for name, make in known.items() if name == "expiac" or self._has(name)}
        for run in found.values():
            run()
        return found

    def expiac(self) -> Callable[[], Cost]:
        folder = self._make("expiac", {"stacks/tiny.py": STACK, "pyproject.toml": PROJECT})
        named = ["tiny", f"jobs={self._jobs}"]
        python(["-m", "expiac", "apply", *named, "--yes"], folder)
        return lambda: python(["-m", "expiac", "plan", *named], folder)

    def snakemake(self) -> Callable[[], Cost]:
        folder = self._make("snakemake", {"Snakefile": SNAKEFILE, **self._outputs()})
        words = [self._peers, "-m", "snakemake", "--cores", "1", "--quiet", "all", "--config", f"jobs={self._jobs}"]
        command([*words, "--touch"], folder)
        return lambda: command([*words, "--dry-run"], folder)

    def dvc(self) -> Callable[[], Cost]:
        stages = {f"job_{n}": {"cmd": "true", "outs": [{f"out/{n}": {"cache": False}}]} for n in range(self._jobs)}
        folder = self._make("dvc", {"dvc.yaml": json.dumps({"stages": stages}), **self._outputs()})
        words = [self._peers, "-m", "dvc"]
        self._dvc([*words, "init", "--no-scm", "--quiet"], folder)
        self._dvc([*words, "config", "core.check_update", "false"], folder)
        self._dvc([*words, "commit", "--force", "--quiet"], folder)
        return lambda: self._dvc([*words, "status"], folder)

    @staticmethod
    def _dvc(words: Sequence[str], folder: Path) -> Cost:
        return command(words, folder, **QUIET)

    def _outputs(self) -> dict[str, str]:
        return {f"out/{n}": f"{n}\n" for n in range(self._jobs)}

    def _make(self, name: str, files: dict[str, str]) -> Path:
        for file, text in files.items():
            path = self._folder / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return self._folder / name

    def _has(self, module: str) -> bool:
        return subprocess.run([self._peers, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plans", description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3, help="of which the median counts")
    parser.add_argument("--peers", default=sys.executable, help="a Python with snakemake and DVC")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="expiac-plans-") as folder:
        costs = in_turns(Peers(Path(folder), given.peers, given.jobs).commands(), given.runs)
    ours = costs["expiac"]
    print(f"\n| {given.jobs:,} jobs | wall | CPU | peak | wall, × expiac | CPU, × expiac |\n"
          "| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, cost in costs.items():
        print(f"| {name} | {cost.wall:.2f} s | {cost.cpu:.2f} s | {cost.peak:.0f} MiB | {cost.wall / ours.wall:.2f} | "
              f"{cost.cpu / ours.cpu:.2f} |")


if __name__ == "__main__":
    main()
