"""How far a run is, read from its metrics file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from expiac.apply import progress


def line(step: int, **metrics: float) -> str:
    return json.dumps({"step": step, "total_steps": 1_000_000, "time": 1.0, "elapsed": step / 1000,
                       "metrics": {name.replace("__", "/"): value for name, value in metrics.items()}}) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def test_newest_and_first_of_each_metric(file):
    """A line carries any metrics; the newest of each counts, and the first is kept for comparison."""
    file.write_text(line(0, eval__hearts=0.6) + line(1000, reward=1.0) + line(2000, reward=2.0))
    seen = progress.read(file)
    assert (seen.step, seen.total_steps, seen.elapsed) == (2000, 1_000_000, 2.0)
    assert seen.metrics == {"eval/hearts": 0.6, "reward": 2.0}
    assert seen.first == {"eval/hearts": 0.6, "reward": 1.0}


def test_a_torn_last_line_is_left_out(file):
    """The trainer may be in the middle of writing it."""
    file.write_text(line(1000, reward=1.0) + line(2000, reward=2.0)[:-20])
    assert progress.read(file).step == 1000


def test_a_metric_that_is_no_number_is_left_out(file):
    """Any trainer may write the file."""
    file.write_text('{"step": 1, "metrics": {"reward": 1.5, "name": "fast", "done": true}}\n')
    assert progress.read(file).metrics == {"reward": 1.5}


@pytest.mark.parametrize("content", [None, "", "\n", '{"step": 1', "[]\n3\n",
                                     '{"step": "one", "metrics": {}}\n', '{"step": NaN, "metrics": {}}\n',
                                     '{"step": 1, "elapsed": null, "metrics": {}}\n'])
def test_nothing_yet(file, content):
    """No file, an empty one, and one without a whole line are all the same: nothing is known yet."""
    if content is not None:
        file.write_text(content)
    assert progress.read(file) is None


def test_a_large_file_is_read_at_its_ends(file):
    """The first and the newest values are found without reading what lies between."""
    file.write_text(line(0, eval__hearts=0.6) + "".join(line(step, reward=step) for step in range(1, 20_000)))
    seen = progress.read(file)
    assert (seen.step, seen.metrics["reward"], seen.first["eval/hearts"]) == (19_999, 19_999, 0.6)
