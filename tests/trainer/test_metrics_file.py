"""The metrics file: what other programs read."""

import json
from pathlib import Path

from trainer.metrics import MetricsFile, Progress, read
from trainer.tracking import NullTracker


def written(path: Path, *, step: int | None = None) -> Progress:
    return Progress(MetricsFile(path, step=step), NullTracker(), total_steps=100, elapsed=5.0)


def test_a_line_has_the_agreed_keys_and_is_there_at_once(tmp_path: Path):
    progress = written(tmp_path / "run" / "metrics.jsonl")
    progress.log(10, {"reward": 1.5})
    (line,) = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    found = json.loads(line)
    assert list(found) == ["step", "total_steps", "time", "elapsed", "metrics"]
    assert (found["step"], found["total_steps"], found["metrics"]) == (10, 100, {"reward": 1.5})
    assert found["elapsed"] >= 5.0


def test_a_resumed_run_drops_what_it_will_do_again(tmp_path: Path):
    path = tmp_path / "metrics.jsonl"
    with written(path) as progress:
        progress.log(0, {"eval/hearts": 0.0})
        for step in (10, 20, 30):
            progress.log(step, {"reward": 1.0})
    with written(path, step=20) as progress:
        assert progress.last_evaluation == 0
    assert [line["step"] for line in read(path)] == [0, 10, 20]


def test_a_run_that_begins_anew_drops_everything(tmp_path: Path):
    path = tmp_path / "metrics.jsonl"
    with written(path) as progress:
        progress.log(10, {"reward": 1.0})
    with written(path, step=None) as progress:
        assert progress.last_evaluation is None
    assert read(path) == []


def test_a_torn_line_is_not_read(tmp_path: Path):
    path = tmp_path / "metrics.jsonl"
    with written(path) as progress:
        progress.log(10, {"reward": 1.0})
    with path.open("a") as file:
        file.write('{"step": 20, "tot')
    assert [line["step"] for line in read(path)] == [10]


def test_rows_are_printed_where_programs_read_them_from_there(tmp_path: Path, capsys, monkeypatch):
    """As they stand in the file; the lines for people stay."""
    with written(tmp_path / "a.jsonl") as progress:
        progress.log(100, {"reward": 1.5})
    assert "{" not in capsys.readouterr().out
    monkeypatch.setenv("EXPIAC_PRINT_METRICS", "1")
    with written(tmp_path / "b.jsonl") as progress:
        progress.log(100, {"reward": 1.5})
    people, row = capsys.readouterr().out.splitlines()
    assert ("100 / 100" in people, row) == (True, (tmp_path / "b.jsonl").read_text().strip())


def test_people_are_told_in_plain_lines(tmp_path: Path, capsys):
    progress = written(tmp_path / "metrics.jsonl")
    progress.log(50, {"reward": 1.5, "sps": 10.0})
    said = capsys.readouterr().out
    assert "50 / 100" in said
    assert "5 s left" in said
