"""A folder in which `expiac new` is run, in this process or as one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIMIT = 240.0
"""Seconds after which a command counts as hung."""


@dataclass(frozen=True)
class Commands:
    """Runs commands in a new project, on a machine of the test's own."""

    folder: Path
    machine: Path

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One Python program, to its end, with this expiac."""
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("EXPIAC_", "PYTEST_", "COV_")) and name != "COLUMNS"}
        env = {**kept, "EXPIAC_LOCAL_MACHINE": str(self.machine), "EXPIAC_LOCAL_CPUS": "2", "EXPIAC_LOCAL_GPUS": "0",
               "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        return subprocess.run([sys.executable, *arguments], cwd=self.folder, env=env, text=True, capture_output=True,
                              timeout=LIMIT, stdin=subprocess.DEVNULL, check=False)

    def output(self, *arguments: str) -> str:
        """What a program prints that ends well."""
        done = self.python(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which we stand."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Commands]:
    """Commands in a folder `demo`, which is empty; at the end nothing of it runs."""
    commands = Commands(tmp_path / "demo", tmp_path / "machine")
    commands.folder.mkdir()
    yield commands
    for journal in (commands.folder / ".expiac").glob("*.jsonl"):
        commands.output("-m", "expiac", "destroy", journal.stem, "--yes")
