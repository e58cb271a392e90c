"""Many local jobs that do nothing: `expiac apply --wait`, and what other programs take for the same.

    python -m benchmarks.local_jobs [--jobs N] [--runs N] [--peers PYTHON]

PYTHON is an interpreter with snakemake and submitit; one that it lacks is left out. In turns, so that a busy moment of
the machine meets all alike. A figure is per job: the wall time of all of them, and the processor time of every process
that had a part in it, divided by their number.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import ROOT, Cost
from benchmarks.peers import SNAKEFILE, has, measure, relative, write_files

STACK = """\
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

HERE = SkypilotJobConfig(gpus=0, cpus=1, workdir=None)


class Config(ExperimentConfig):
    name: str = "tiny"
    jobs: int = 1


def stack(config: Config) -> Stack:
    return Stack(config.name, [Job(f"job_{n}", run="true", skypilot=HERE) for n in range(config.jobs)])
"""
SUBMITIT = """\
import os, subprocess, sys, time
import submitit

def nothing():
    subprocess.run(["bash", "-c", "true"], check=True)

executor, live = submitit.LocalExecutor("jobs"), []
for _ in range(int(sys.argv[1])):
    while len(live) >= os.cpu_count():
        live = [job for job in live if not job.done()]
        time.sleep(0.005)
    live.append(executor.submit(nothing))
for job in live:
    job.result()
"""
"""As many at once as there are cores: submitit itself starts all at once."""
SUBMITIT_UP_TO = 100
"""Each is an interpreter of its own; more take minutes, and each costs the same."""
BASH = 'seq "$0" | xargs -P "$(nproc)" -I{} bash -c true'
"""The least that any program can take: a shell for each job."""


class Peers:
    """A folder for each program, and a way to let it carry out a number of jobs."""

    def __init__(self, folder: Path, python: str, jobs: int) -> None:
        self._folder, self._python, self._jobs = folder, python, jobs

    def commands(self) -> dict[str, Callable[[], Cost]]:
        """Those that are there."""
        found = {"bash": self.bash, "expiac": self.expiac}
        wanted: dict[str, Callable[[], Cost]] = {"snakemake": self.snakemake, "submitit": self.submitit}
        return found | {name: run for name, run in wanted.items() if has(self._python, name)}

    def bash(self) -> Cost:
        return self._per_job("bash", {}, ["bash", "-c", BASH, str(self._jobs)], self._jobs)

    def expiac(self) -> Cost:
        files = {"stacks/tiny.py": STACK, "pyproject.toml": '[tool.expiac]\nbackend = "local"\n'}
        command = [sys.executable, "-m", "expiac", "apply", "tiny", f"jobs={self._jobs}", "--yes", "--wait"]
        return self._per_job("expiac", files, command, self._jobs)

    def snakemake(self) -> Cost:
        command = [self._python, "-m", "snakemake", "--cores", str(os.cpu_count()), "--quiet", "all",
                   "--config", f"jobs={self._jobs}"]
        return self._per_job("snakemake", {"Snakefile": SNAKEFILE}, command, self._jobs)

    def submitit(self) -> Cost:
        jobs = min(self._jobs, SUBMITIT_UP_TO)
        return self._per_job("submitit", {"many.py": SUBMITIT}, [self._python, "many.py", str(jobs)], jobs)

    def _per_job(self, name: str, files: dict[str, str], command: list[str], jobs: int) -> Cost:
        """The cost of one job where the command carries out so many in a fresh folder."""
        folder = self._folder / name
        shutil.rmtree(folder, ignore_errors=True)
        write_files(folder, files)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1",
                       "EXPIAC_LOCAL_MACHINE": str(folder / "machine"), "EXPIAC_LOCAL_GPUS": "0"}
        with (folder / "said.txt").open("wb") as said:
            subprocess.run([sys.executable, "-m", "benchmarks.descendants", "cost.json", *command], cwd=folder,
                           env=environment, stdout=said, stderr=said, check=True)
        cost = json.loads((folder / "cost.json").read_text(encoding="utf-8"))
        if cost["code"]:
            raise SystemExit(f"{name} failed:\n{(folder / 'said.txt').read_text(encoding='utf-8')[-4000:]}")
        print(f"{name}: {cost['wall'] / jobs * 1000:.1f} ms a job, CPU {cost['cpu'] / jobs * 1000:.1f} ms", flush=True)
        return Cost(cost["wall"] / jobs, cost["cpu"] / jobs, 0.0)


def main(arguments: list[str] | None = None) -> None:
    jobs, costs = measure("local_jobs", __doc__, "snakemake and submitit",
                          lambda folder, python, jobs: Peers(folder, python, jobs).commands(), arguments)
    print(f"\n| {jobs:,} jobs | wall a job | CPU a job | wall, × expiac | CPU, × expiac |\n"
          "| --- | ---: | ---: | ---: | ---: |")
    for name, cost in costs.items():
        print(f"| {name} | {cost.wall * 1000:.1f} ms | {cost.cpu * 1000:.1f} ms | {relative(cost, costs['expiac'])}")


if __name__ == "__main__":
    main()
