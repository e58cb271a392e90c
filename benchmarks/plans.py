"""A plan of many jobs of which nothing changed: `expiac plan`, and what other programs take to find that out.

    python -m benchmarks.plans [--jobs N] [--runs N] [--peers PYTHON]

PYTHON is an interpreter with snakemake and DVC; one that it lacks is left out. Every job is a command that does
nothing, and for the other two has one small output, which is there and recorded. What the programs do is not all the
same: DVC and snakemake look at a file for each job, and expiac at the backend, which is a provider in memory, and at
what the program declares. In turns, so that a busy moment of the machine meets all alike.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.measure import Cost, command, python
from benchmarks.peers import SNAKEFILE, has, measure, relative, write_files

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
QUIET = {"DVC_NO_ANALYTICS": "1", "ITERATIVE_DO_NOT_TRACK": "1"}
"""DVC tells nobody that it was used."""


class Peers:
    """A folder for each program, in which all jobs are done, and the command that says so."""

    def __init__(self, folder: Path, peers: str, jobs: int) -> None:
        self._folder, self._peers, self._jobs = folder, peers, jobs

    def commands(self) -> dict[str, Callable[[], Cost]]:
        """Those that are there, each of which has been run once."""
        known = {"expiac": self.expiac, "snakemake": self.snakemake, "dvc": self.dvc}
        found = {name: make() for name, make in known.items() if name == "expiac" or has(self._peers, name)}
        for run in found.values():
            run()
        return found

    def expiac(self) -> Callable[[], Cost]:
        folder = write_files(self._folder / "expiac", {"stacks/tiny.py": STACK, "pyproject.toml": PROJECT})
        named = ["tiny", f"jobs={self._jobs}"]
        python(["-m", "expiac", "apply", *named, "--yes"], folder)
        return lambda: python(["-m", "expiac", "plan", *named], folder)

    def snakemake(self) -> Callable[[], Cost]:
        folder = write_files(self._folder / "snakemake", {"Snakefile": SNAKEFILE, **self._outputs()})
        words = [self._peers, "-m", "snakemake", "--cores", "1", "--quiet", "all", "--config", f"jobs={self._jobs}"]
        command([*words, "--touch"], folder)
        return lambda: command([*words, "--dry-run"], folder)

    def dvc(self) -> Callable[[], Cost]:
        stages = {f"job_{n}": {"cmd": "true", "outs": [{f"out/{n}": {"cache": False}}]} for n in range(self._jobs)}
        folder = write_files(self._folder / "dvc", {"dvc.yaml": json.dumps({"stages": stages}), **self._outputs()})
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


def main(arguments: list[str] | None = None) -> None:
    jobs, costs = measure("plans", __doc__, "snakemake and DVC",
                          lambda folder, peers, jobs: Peers(folder, peers, jobs).commands(), arguments)
    print(f"\n| {jobs:,} jobs | wall | CPU | peak | wall, × expiac | CPU, × expiac |\n"
          "| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, cost in costs.items():
        print(f"| {name} | {cost.wall:.2f} s | {cost.cpu:.2f} s | {cost.peak:.0f} MiB | "
              f"{relative(cost, costs['expiac'])}")


if __name__ == "__main__":
    main()
