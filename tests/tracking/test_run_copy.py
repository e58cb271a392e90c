"""A run that was resumed offline has a file for each launch: together they are one run, each row once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from expiac.apply.metrics import wandb_files
from expiac.apply.metrics.run_log import RunLog
from expiac.apply.metrics.run_names import RunNames, run_names
from expiac.tracking.run_copy import copy_run

pytest.importorskip("wandb")
pytestmark = pytest.mark.slow
TRAINER = """\
import sys, wandb
folder, first, last, own = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
run = wandb.init(mode="offline", dir=folder, id="lab.a.0", project="ants", settings=wandb.Settings(silent=True))
for step in range(first, last):
    run.log({"loss": step, **({own: step * 100} if own != "-" else {})})
run.finish()
"""


def log(folder: Path, first: int, last: int, own: str = "-", text: str = TRAINER) -> Path:
    """The file of one launch of the real client."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", text, str(folder), str(first), str(last), own]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "WANDB_ERROR_REPORTING": "false"}
    subprocess.run(command, check=True, capture_output=True, timeout=120, env=env)
    (file,) = folder.glob("wandb/offline-run-*/run-lab.a.0.wandb")
    return file


def rows(file: Path) -> list[tuple[int, int]]:
    return [(row["_step"], row["loss"]) for row in wandb_files.history(RunLog(file))]


def kinds(file: Path) -> list[str]:
    return [record.WhichOneof("record_type") for record in wandb_files.records(RunLog(file))]


@pytest.mark.parametrize(("own", "kept"), [
    ("global_step", [0, 1, 2, 3, 4, 5, 6, 7]),
    ("-", [0, 1, 2, 3, 4, 5, 3, 4, 5, 6, 7]),
], ids=["own-step", "no-step"])
def test_rows_of_a_resumed_run_follow_each_other(tmp_path, own, kept):
    """Where the trainer counts steps itself, those that it did again count once. W&B's own count began anew."""
    files = [log(tmp_path / "1", 0, 6, own), log(tmp_path / "2", 3, 8, own)]
    assert copy_run(files, tmp_path / "copy.wandb") == len(kept)
    assert rows(tmp_path / "copy.wandb") == list(enumerate(kept))
    found = kinds(tmp_path / "copy.wandb")
    assert (found.count("run"), found.count("exit"), found[0]) == (1, 1, "header")


def test_a_copy_of_one_file_is_that_file_and_w_and_b_reads_it(tmp_path):
    """Over many blocks, with a record larger than one."""
    from wandb.sdk.internal.datastore import DataStore

    large = TRAINER.replace('{"loss": step', '{"loss": step, "text": "x" * (100_000 if step == 7 else 500)')
    file = log(tmp_path, 0, 300, text=large)
    copy_run([file], tmp_path / "copy.wandb")
    assert list(RunLog(tmp_path / "copy.wandb")) == list(RunLog(file))
    store, count = DataStore(), 0
    store.open_for_scan(str(tmp_path / "copy.wandb"))
    while store.scan_data() is not None:
        count += 1
    assert count == len(list(RunLog(file)))
    assert run_names(tmp_path / "copy.wandb") == RunNames("lab.a.0", "", "ants")
