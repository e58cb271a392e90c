"""The trainer as a job runs it: a process with its config."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
TIMEOUT = 120
ENOUGH = 0.97


def start(folder, name, *settings):
    """A run named `name`, with its results in `folder`."""
    command = [sys.executable, "-m", "trainer", f"run_name={name}", f"data_dir={folder}", "+network=small", *settings]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def train(folder, name, *settings):
    """The folder of a run that has ended well."""
    process = start(folder, name, *settings)
    _, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, errors
    return folder / name


def metrics(run):
    """The lines of its metrics file."""
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_it_learns(optimizer, tmp_path):
    """Each optimizer, with the settings in `configs/`."""
    lines = metrics(train(tmp_path, "run", f"+optimizer={optimizer}"))
    assert lines[-1]["step"] == lines[-1]["total_steps"]
    assert lines[-1]["metrics"]["accuracy"] >= ENOUGH


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    """After SIGTERM it exits with 143, and ends with the same weights as a run that was never stopped."""
    settings = ("+optimizer=adam", "+trainer.epochs=40")
    process = start(tmp_path, "stopped", *settings)
    assert process.stdout.readline().startswith("epoch")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=TIMEOUT)
    stopped = metrics(tmp_path / "stopped")
    assert (process.returncode, 0 < len(stopped) < 40) == (143, True)

    resumed, whole = train(tmp_path, "stopped", *settings), train(tmp_path, "whole", *settings)
    assert [line["step"] for line in metrics(resumed)] == list(range(1, 41))
    with np.load(resumed / "checkpoint.npz") as one, np.load(whole / "checkpoint.npz") as other:
        assert set(one.files) == set(other.files)
        for name in set(one.files) - {"elapsed"}:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.mark.parametrize(
    ("setting", "message"),
    [("+trainer.epochs=0", "trainer.epochs"), ("+trainer.epoch=5", "trainer.epoch"), ("seed=-1", "seed")],
)
def test_a_wrong_config_is_refused(setting, message, tmp_path):
    """With the key that is wrong, before anything is trained."""
    process = start(tmp_path, "wrong", "+optimizer=adam", setting)
    _, errors = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, list(tmp_path.iterdir())) == (1, [])
    assert message in errors
