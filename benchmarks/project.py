"""A project to measure in: this repository's configs, templates and trainer, the sweep, and a backend in memory."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.measure import ROOT

_SETTINGS = """\
[tool.expiac]
schema = "trainer.config:Config"

[tool.expiac.outputs]
checkpoint = "${run_dir}/checkpoints/latest.pt"
metrics = "${run_dir}/metrics.jsonl"

[tool.expiac.providers]
memory = "benchmarks.backend:Backend"
"""
_TRAINING = "[tool.expiac.training]"


def make(folder: Path) -> Path:
    """The project, in a new folder."""
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f"{_SETTINGS}\n{_training_settings()}", encoding="utf-8")
    unwanted = shutil.ignore_patterns("__pycache__", "experiments")
    for name in ("configs", "templates", "trainer"):
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
    (folder / "stacks").mkdir()
    shutil.copy(ROOT / "benchmarks" / "sweep.py", folder / "stacks")
    return folder


def without_state(folder: Path) -> None:
    """As before the first apply; what was composed stays known."""
    for file in (folder / ".expiac").glob("sweep.*"):
        file.unlink()


def without_cache(folder: Path) -> None:
    """As before the first composition."""
    shutil.rmtree(folder / ".expiac" / "cache", ignore_errors=True)


def _training_settings() -> str:
    """What this repository says of its training configs."""
    return _TRAINING + (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition(_TRAINING)[2].partition("\n[")[0]
