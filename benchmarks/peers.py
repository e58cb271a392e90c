"""What the comparisons with other programs have in common: their command line, the folders, and a Snakefile."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.measure import Cost, in_turns

SNAKEFILE = """\
rule all:
    input: expand("out/{n}", n=range(int(config["jobs"])))

rule one:
    output: touch("out/{n}")
    shell: "true"
"""
Commands = Callable[[Path, str, int], Mapping[str, Callable[[], Cost]]]
"""From an empty folder, a Python with the other programs and a number of jobs to each program that is there."""


def has(python: str, module: str) -> bool:
    """Whether a Python has a module."""
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """The folder with these files, by their paths in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def measure(name: str, about: str, packages: str, commands: Commands, arguments: Sequence[str] | None = None
            ) -> tuple[int, dict[str, Cost]]:
    """The number of jobs that the command line asks for, and the median cost of each program."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3, help="of which the median counts")
    parser.add_argument("--peers", default=sys.executable, help=f"a Python with {packages}")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix=f"expiac-{name.replace('_', '-')}-") as folder:
        return given.jobs, in_turns(commands(Path(folder), given.peers, given.jobs), given.runs)


def relative(cost: Cost, ours: Cost) -> str:
    """Two cells: the wall time and the processor time, by those of expiac."""
    return f"{cost.wall / ours.wall:.2f} | {cost.cpu / ours.cpu:.2f} |"
