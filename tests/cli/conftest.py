"""A project of one stack of quick shell commands on the local backend, and the command line in this process."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from expiac.cli import run

ROOT = Path(__file__).parents[2]
STACK = '''
"""Quick shell commands."""
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Lab(ExperimentConfig):
    name: str = "lab"
    words: str = "hello"
    seconds: float = 0
    jobs: int = 1

def stack(config: Lab) -> Stack:
    where = SkypilotJobConfig(gpus=0, workdir=None)
    return Stack(config.name, [
        Job(f"say_{index}", run=f"sleep {config.seconds}; echo {config.words} {index}; test {config.words} != fail",
            skypilot=where)
        for index in range(config.jobs)])
'''


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Expiac = Callable[..., Said]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which we stand; nobody is at the terminal, and the shell finds expiac."""
    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "lab.py").write_text(STACK)
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "FORCE_COLOR", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


@pytest.fixture
def expiac(project: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Expiac]:
    """`expiac(...)` is the command line; whatever still runs is destroyed at the end."""

    def expiac(*words: str) -> Said:
        capfd.readouterr()
        code = run(words)
        out, err = capfd.readouterr()
        return Said(code, out, err)

    yield expiac
    if (project / ".expiac" / "lab.jsonl").exists():
        run(["destroy", "lab", "--yes"])
