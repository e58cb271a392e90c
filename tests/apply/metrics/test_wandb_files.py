"""The metrics of an offline run of Weights & Biases, written by its own client."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from expiac.apply import metrics

PROGRAM = """
import wandb
run = wandb.init(project="p", dir=".", settings=wandb.Settings(x_disable_stats=True, console="off"))
for step in range(5):
    run.log({"loss": 1 / (step + 1), "eval/accuracy": step / 5, "picture": "none"})
run.finish()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder in which a run has ended."""
    path = tmp_path_factory.mktemp("wandb")
    quiet = {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=path, env={**os.environ, **quiet}, check=True, timeout=120)
    return path


def test_the_history_is_read(folder: Path):
    """Step by step; what is no number is left out."""
    seen = metrics.read(folder)
    assert seen is not None
    assert (seen.step, seen.metrics, seen.first) == (
        4, {"loss": 0.2, "eval/accuracy": 0.8}, {"loss": 1.0, "eval/accuracy": 0.0})


@pytest.mark.parametrize("name", ["wandb/offline-run-*", "wandb/latest-run", "wandb/latest-run/run-*.wandb"])
def test_the_folder_of_the_run_may_be_named_itself(folder: Path, name: str):
    """An output `metrics` names it, the link that W&B makes to the newest one, or the file."""
    (path,) = folder.glob(name)
    seen = metrics.read(path)
    assert seen is not None
    assert seen.step == 4


def test_a_file_that_is_being_written_is_read_as_far_as_it_goes(folder: Path, tmp_path: Path):
    """At every length it has on the way: fewer rows, and no error."""
    (whole,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    content = whole.read_bytes()
    steps = []
    for length in range(0, len(content) + 1, 97):
        part = tmp_path / f"run-{length}.wandb"
        part.write_bytes(content[:length])
        seen = metrics.read(part)
        steps.append(-1 if seen is None else seen.step)
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (-1, 4)


def test_every_row_is_read(folder: Path):
    assert [(row.step, row.metrics["loss"]) for row in metrics.read_rows(metrics.files_of(folder))] == [
        (step, 1 / (step + 1)) for step in range(5)]
