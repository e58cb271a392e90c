"""A small throw-away project, and the real command line on it, as processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.repository_settings import TRAINING

ROOT = Path(__file__).parents[2]
LIMIT = 60.0
"""Seconds after which a command or a wait counts as hung."""

PYPROJECT = """\
[tool.expiac]
schema = "trainer.config:Config"
run = '''
set -e
mkdir -p "train_dir/@instance@/checkpoints"
echo weights > "train_dir/@instance@/checkpoints/latest.pt"
echo '{"step": 8, "total_steps": 8, "elapsed": 1.0, "metrics": {"reward": 1.5}}' > "train_dir/@instance@/metrics.jsonl"
echo "trained @instance@"
'''

[tool.expiac.outputs]
checkpoint = "${run_dir}/checkpoints/latest.pt"
metrics = "${run_dir}/metrics.jsonl"

""" + TRAINING + "\n"
"""A stand-in trainer: it leaves behind what a run leaves behind, at once."""

HEAD = """\
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig
from trainer.config import CheckpointConfig, OptimizerConfig, TrainerConfig

HERE = SkypilotJobConfig(gpus=0, workdir=None)
"""
"""What the stack files of these tests begin with; HERE is a job without code of the project, begun at once."""

FIRST = HEAD.count("\n") + 1
"""The number of the line on which a test's own text begins."""


class Folder:
    """A project on disk."""

    def __init__(self, root: Path, machine: Path) -> None:
        self.root, self.machine = root, machine
        self._begun: list[subprocess.Popen[str]] = []

    @property
    def env(self) -> dict[str, str]:
        """What a command sees: nothing of the user's own settings, and a machine of the test's own."""
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("EXPIAC_", "WANDB_", "SKYPILOT_")) and name not in ("COLUMNS", "NO_COLOR")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # where hints name expiac alone
        return {**kept, "PATH": path, "EXPIAC_LOCAL_MACHINE": str(self.machine),
                "EXPIAC_LOCAL_CPUS": "4", "EXPIAC_LOCAL_GPUS": "0",
                "PYTHONDONTWRITEBYTECODE": "1", "SKYPILOT_DISABLE_USAGE_COLLECTION": "1", "WANDB_MODE": "offline"}

    def expiac(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """One command, to its end."""
        return self.python("-m", "expiac", *arguments, cwd=cwd)

    def python(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """One Python program in the project, to its end, without a terminal."""
        return subprocess.run([sys.executable, *arguments], cwd=cwd or self.root, env=self.env, text=True,
                              capture_output=True, timeout=LIMIT, stdin=subprocess.DEVNULL)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """One command, on its way."""
        begun = subprocess.Popen([sys.executable, "-m", "expiac", *arguments], cwd=self.root, env=self.env, text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._begun.append(begun)
        return begun

    def end(self) -> None:
        """Nothing of the project runs any more."""
        for begun in self._begun:
            if begun.poll() is None:
                begun.kill()
                begun.communicate()
        if self.alive():
            for journal in self.journal().parent.glob("*.jsonl"):
                self.expiac("destroy", journal.stem, "--yes")

    def stack(self, text: str, name: str = "small") -> Path:
        """Writes a stack file; `text` follows the usual imports."""
        path = self.root / "stacks" / f"{name}.py"
        path.write_text(HEAD + text)
        return path

    def jobs(self, **commands: str) -> Path:
        """Writes a stack `small` of plain jobs, one a command."""
        jobs = ", ".join(f"Job({name!r}, run={command!r}, skypilot=HERE)" for name, command in commands.items())
        return self.stack(f"small = Stack('small', [{jobs}])\n")

    def output(self, *arguments: str) -> str:
        """What a command prints that goes well."""
        done = self.expiac(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def apply(self, *arguments: str) -> str:
        """Applies, and waits until everything has succeeded."""
        return self.output("apply", "--yes", "--wait", *arguments)

    def said(self, *arguments: str) -> Any:
        """The JSON document that a command prints."""
        return json.loads(self.output(*arguments, "--json"))

    @property
    def state(self) -> dict[str, bytes]:
        """Every file of the state folder but locks and memories."""
        folder = self.root / ".expiac"
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
                if path.is_file() and path.suffix != ".lock" and path.name != "lock" and "cache" not in path.parts}

    def journal(self, stack: str = "small") -> Path:
        return self.root / ".expiac" / f"{stack}.jsonl"

    def launches(self) -> list[Path]:
        """The folder of every launch that was created."""
        return sorted((self.root / ".expiac" / "local").glob("*/launches/[0-9]*"))

    def alive(self) -> list[Path]:
        """The launches that have begun and not ended."""
        return [launch for launch in self.launches() if not (launch / "end.json").exists()]


def until(is_so: Callable[[], object], what: str) -> None:
    """Returns once it is so."""
    end = time.monotonic() + LIMIT
    while not is_so():
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.05)


def made(tmp_path: Path) -> Iterator[Folder]:
    """A project with this repository's configs, templates and trainer, and no stacks; at the end nothing of it runs."""
    folder = Folder(tmp_path / "project", tmp_path / "machine")
    folder.root.mkdir()
    for name in ("configs", "templates", "trainer"):
        shutil.copytree(ROOT / name, folder.root / name, ignore=shutil.ignore_patterns("__pycache__", "experiments"))
    (folder.root / "stacks").mkdir()
    (folder.root / "pyproject.toml").write_text(PYPROJECT)
    yield folder
    folder.end()
