"""How far a run is, read from the metrics file of any trainer."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from expiac.apply import metrics
from expiac.apply.events import Progress


def line(step: int, **metrics: float) -> str:
    return json.dumps({"step": step, "total_steps": 1_000_000, "time": 1.0, "elapsed": step / 1000,
                       "metrics": {name.replace("__", "/"): value for name, value in metrics.items()}}) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def test_newest_and_first_of_each_metric(file):
    """A line carries any metrics; the newest of each counts, and the first is kept for comparison."""
    file.write_text(line(0, eval__hearts=0.6) + line(1000, reward=1.0) + line(2000, reward=2.0))
    seen = metrics.read(file)
    assert (seen.step, seen.total_steps, seen.elapsed) == (2000, 1_000_000, 2.0)
    assert seen.metrics == {"eval/hearts": 0.6, "reward": 2.0}
    assert seen.first == {"eval/hearts": 0.6, "reward": 1.0}


def test_a_torn_last_line_is_left_out(file):
    """The trainer may be in the middle of writing it."""
    file.write_text(line(1000, reward=1.0) + line(2000, reward=2.0)[:-20])
    assert metrics.read(file).step == 1000


def test_a_metric_that_is_no_number_is_left_out(file):
    """Any trainer may write the file."""
    file.write_text('{"step": 1, "metrics": {"reward": 1.5, "name": "fast", "done": true}}\n')
    assert metrics.read(file).metrics == {"reward": 1.5}


@pytest.mark.parametrize("content", [None, "", "\n", '{"step": 1', "[]\n3\n",
                                     '{"step": "one", "metrics": {}}\n', '{"step": NaN, "metrics": {}}\n'])
def test_nothing_yet(file, content):
    """No file, an empty one, and one without a whole line are all the same: nothing is known yet."""
    if content is not None:
        file.write_text(content)
    assert metrics.read(file) is None


def test_a_large_file_is_read_at_its_ends(file):
    """The first and the newest values are found without reading what lies between."""
    file.write_text(line(0, eval__hearts=0.6) + "".join(line(step, reward=step) for step in range(1, 20_000)))
    seen = metrics.read(file)
    assert (seen.step, seen.metrics["reward"], seen.first["eval/hearts"]) == (19_999, 19_999, 0.6)


@pytest.mark.parametrize("text", ['{"step": 7, "loss": 0.5}', '{"global_step": 7, "loss": 0.5, "time": 3.0}',
                                  '{"iteration": 7, "metrics": {"loss": 0.5}, "elapsed": null}'])
def test_lines_of_other_trainers(file, text):
    """The metrics may stand beside the step, which may have another of its usual names."""
    file.write_text(text + "\n")
    seen = metrics.read(file)
    assert (seen.step, seen.metrics) == (7, {"loss": 0.5})


def test_the_csv_of_lightning(tmp_path):
    """CSVLogger leaves a cell empty where a row has no such metric."""
    file = tmp_path / "metrics.csv"
    file.write_text("epoch,step,train_loss,val_acc\n0,49,1.2,\n0,99,,0.8\n1,149,0.9,\n1,199,,0.91\n")
    seen = metrics.read(file)
    assert (seen.step, seen.metrics, seen.first) == (
        199, {"train_loss": 0.9, "val_acc": 0.91}, {"train_loss": 1.2, "val_acc": 0.8})


def test_a_torn_line_of_csv_is_left_out(tmp_path):
    file = tmp_path / "metrics.csv"
    file.write_text("step,loss\n1,0.5\n2,0.2")
    assert metrics.read(file).step == 1


def test_tensorboard(tmp_path):
    """An event file as TensorBoard's own writer makes it; read again, it goes on where it was."""
    tensorboard = pytest.importorskip("torch.utils.tensorboard")
    with tensorboard.SummaryWriter(tmp_path / "tb") as writer:
        writer.add_scalar("train/loss", 2.0, 1)
        writer.add_scalar("train/loss", 0.5, 9)
        writer.flush()
        seen = metrics.read(tmp_path)
        assert (seen.step, seen.metrics, seen.first) == (9, {"train/loss": 0.5}, {"train/loss": 2.0})
        writer.add_scalar("val/acc", 0.75, 12)
    assert metrics.read(tmp_path).metrics == {"train/loss": 0.5, "val/acc": 0.75}


def test_the_newest_file_of_a_folder(tmp_path):
    """Lightning begins another `version_N` at each start."""
    for version, (loss, at) in enumerate([(0.9, 100), (0.1, 200)]):
        file = tmp_path / "lightning_logs" / f"version_{version}" / "metrics.csv"
        file.parent.mkdir(parents=True)
        file.write_text(f"step,loss\n5,{loss}\n")
        os.utime(file, (at, at))
    assert metrics.read(tmp_path).metrics == {"loss": 0.1}


@pytest.mark.parametrize("name", ["metrics.jsonl", "metrics.csv", "events.out.tfevents.1.host", "metrics.parquet"])
def test_rubbish_is_no_progress(tmp_path, name):
    (tmp_path / name).write_bytes(bytes(range(256)) * 20)
    assert metrics.read(tmp_path / name) in (None, Progress())


def test_a_folder_without_metrics(tmp_path):
    (tmp_path / "model.pt").touch()
    assert metrics.read(tmp_path) is None
