"""The trainer: mostly as a job runs it, a process with its config."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trainer.checkpoint import load
from trainer.config import Config, TrainerConfig
from trainer.stop import Stop
from trainer.train import train as run

ROOT = Path(__file__).parents[1]
TIMEOUT = 120
ENOUGH = 0.97


def start(folder, name, *settings):
    """A run named `name`, with its results in `folder`."""
    command = [sys.executable, "-m", "trainer", f"run_name={name}", f"data_dir={folder}", "+network=small", *settings]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, text=True, encoding="utf-8", **pipes)


def train(folder, name, *settings):
    """The folder of a run that has ended well."""
    process = start(folder, name, *settings)
    _, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, errors
    return folder / name


def metrics(run):
    """The lines of its metrics file."""
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_it_learns(optimizer, tmp_path):
    """Each optimizer, with the settings in `configs/`."""
    lines = metrics(train(tmp_path, "run", f"+optimizer={optimizer}"))
    assert lines[-1]["step"] == lines[-1]["total_steps"]
    assert lines[-1]["metrics"]["accuracy"] >= ENOUGH


def test_sigterm_stops_it(tmp_path):
    """Between two epochs, with 143, and with a checkpoint of the last one."""
    process = start(tmp_path, "run", "+optimizer=sgd", "+trainer.epochs=100000")
    assert process.stdout.readline().startswith("epoch")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=TIMEOUT)
    assert process.returncode == 143
    assert load(tmp_path / "run" / "checkpoint.npz").epoch == metrics(tmp_path / "run")[-1]["step"] > 0


class StopAfter(Stop):
    """As if a signal came after some epochs."""

    def __init__(self, epochs):
        super().__init__()
        self._left = epochs

    @property
    def is_requested(self):
        self._left -= 1
        return self._left < 0


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_stopped_run_goes_on_where_it_was(optimizer, tmp_path):
    """It ends with the same weights as a run that was never stopped."""
    settings = TrainerConfig(epochs=5, optimizer={"name": optimizer})
    stopped, whole = (
        Config(run_name=name, data_dir=str(tmp_path), run_dir=str(tmp_path / name), trainer=settings)
        for name in ("stopped", "whole")
    )
    assert (run(stopped, StopAfter(2)), run(stopped, Stop()), run(whole, Stop())) == (False, True, True)
    assert [line["step"] for line in metrics(tmp_path / "stopped")] == [1, 2, 3, 4, 5]
    one, other = (load(tmp_path / name / "checkpoint.npz") for name in ("stopped", "whole"))
    for name, weights in other.weights.items():
        np.testing.assert_array_equal(one.weights[name], weights, err_msg=name)


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
