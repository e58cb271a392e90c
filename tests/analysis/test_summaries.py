"""What tables show of ended runs is kept while their files look the same; else it is read from the files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from expiac.analysis import Results
from expiac.analysis.runs import Run
from expiac.declare.metrics import Metric, MetricSettings
from expiac.declare.project import Project
from expiac.state.events import Run as RunName
from expiac.state.model import Record, State
from expiac.state.status import Status

ROOT = Path(__file__).parents[2]


def run(name: str, path: Path, status: Status = Status.SUCCEEDED, launch: int = 1) -> Run:
    return Run(name, f"lab.{name}.0a1b2c3d", launch, status, metrics_path=str(path))


def results(root: Path, *runs: Run, known: Sequence[Run] | None = None, direction: str = "", **how: Any) -> Results:
    records = {run.job: Record(run.job, "job", "local", RunName(run.instance, "f", 1, run.launch), {},
                               status=run.status, outputs={"metrics": run.metrics_path}) for run in runs}
    project = Project(root, metrics=MetricSettings(show=(Metric("loss", direction=direction),) if direction else ()))
    return Results(State("lab", "0" * 32, records=records), project, known=runs if known is None else known, **how)


def loss(root: Path, *runs: Run, **how: Any) -> list[float | None]:
    found = results(root, *runs, **how)
    return [found.figures(one).get("loss") for one in runs]


def kept_file(root: Path, at: str = "last") -> Path:
    return root / ".expiac" / "cache" / "results" / "lab" / f"{at}.summaries"


def write(file: Path, *losses: float) -> Path:
    file.write_text("".join(f'{{"step": {step}, "loss": {value}}}\n' for step, value in enumerate(losses)))
    return file


def rewrite_unseen(file: Path, *losses: float) -> None:
    """Writes as much into the same file, which looks as before."""
    before = file.stat()
    with file.open("r+") as stream:
        stream.write("".join(f'{{"step": {step}, "loss": {value}}}\n' for step, value in enumerate(losses)))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size


def test_an_unchanged_file_of_an_ended_run_is_not_opened_again(tmp_path):
    """Were it opened, the other number would be seen; one of a run that goes on is."""
    ended, live = run("a", write(tmp_path / "a.jsonl", 0.5)), run("b", write(tmp_path / "b.jsonl", 0.5), Status.RUNNING)
    assert loss(tmp_path, ended, live) == [0.5, 0.5]
    for file in ("a.jsonl", "b.jsonl"):
        rewrite_unseen(tmp_path / file, 0.7)
    found = results(tmp_path, ended, live)
    assert (found.figures(ended), found.figures(live)) == ({"loss": 0.5}, {"loss": 0.7})
    assert (found.last_step(ended), found.logged(ended)) == (0.0, ["loss"])


@pytest.mark.parametrize("change", ["time", "size", "number", "launch"])
def test_a_file_that_looks_otherwise_is_read(tmp_path, change):
    file = write(tmp_path / "a.jsonl", 0.5)
    assert loss(tmp_path, run("a", file)) == [0.5]
    before = file.stat()
    match change:
        case "time":
            rewrite_unseen(file, 0.7)
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
        case "size":
            write(file, 0.6, 0.7)
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        case "number":
            os.replace(write(tmp_path / "other", 0.7), file)
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        case "launch":
            rewrite_unseen(file, 0.7)
    assert loss(tmp_path, run("a", file, launch=2 if change == "launch" else 1)) == [0.7]


def test_what_a_removed_file_said_is_kept(tmp_path):
    file = write(tmp_path / "a.jsonl", 0.5)
    assert loss(tmp_path, run("a", file)) == [0.5]
    file.unlink()
    assert loss(tmp_path, run("a", file)) == [0.5]


def test_each_kind_of_table_has_its_own(tmp_path):
    """The last and the best, with the direction that is meant now; and those of a step, of which none is kept."""
    one = run("a", write(tmp_path / "a.jsonl", 0.5, 0.1, 0.9))
    for _ in range(2):
        assert loss(tmp_path, one) == [0.9]
        assert loss(tmp_path, one, at="best", direction="min") == [0.1]
        assert loss(tmp_path, one, at="best", direction="max") == [0.9]
        assert loss(tmp_path, one, at=1.0) == [0.1]
    assert sorted(file.name for file in kept_file(tmp_path).parent.glob("*.summaries")) == [
        "best.summaries", "last.summaries"]


def test_a_run_without_a_number_is_told_each_time(tmp_path):
    """That is kept too, and is no reason to be silent."""
    (tmp_path / "a.jsonl").write_text("nothing\n")
    for _ in range(3):
        found = results(tmp_path, run("a", tmp_path / "a.jsonl"))
        assert found.figures(found.known[0]) == {}
        assert found.notes == [f"a: no metrics can be read from {tmp_path}/a.jsonl"]


def test_those_of_some_runs_stay_beside_those_of_others(tmp_path):
    """A list of some runs forgets the others of the stack only if they are gone."""
    one, two = run("a", write(tmp_path / "a.jsonl", 0.5)), run("b", write(tmp_path / "b.jsonl", 0.6))
    for chosen in (one, two):
        found = results(tmp_path, one, two, known=[chosen])
        assert "loss" in found.figures(chosen)
    rewrite_unseen(tmp_path / "a.jsonl", 0.1)
    assert loss(tmp_path, one, two) == [0.5, 0.6]
    three = run("c", write(tmp_path / "c.jsonl", 0.7))
    assert loss(tmp_path, two, three) == [0.6, 0.7]
    assert set(json.loads(kept_file(tmp_path).read_bytes().split(b"\n", 1)[1])) == {two.instance, three.instance}


def test_a_damaged_file_is_ignored(tmp_path):
    """Changed or cut at any byte, of another kind, or a folder: the numbers are those of the metrics files."""
    one = run("a", write(tmp_path / "a.jsonl", 0.5))
    assert loss(tmp_path, one) == [0.5]
    file = kept_file(tmp_path)
    data = file.read_bytes()
    places = range(0, len(data), 5)
    for changed in [b"", b"[]\n", b"{}\n{}", *(data[:at] for at in places),
                    *(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:] for at in places)]:
        file.write_bytes(changed)
        assert loss(tmp_path, one) == [0.5]
    file.unlink()
    file.mkdir()
    assert loss(tmp_path, one) == [0.5]


_KILLED = """
import os, signal, sys
from expiac.util import durable
sys.path.insert(0, sys.argv[2])
from test_summaries import loss, run
from pathlib import Path
left, write, replace = int(sys.argv[3]), os.write, os.replace

def half(fd, data):
    if ".summaries" in os.readlink(f"/proc/self/fd/{fd}"):
        write(fd, bytes(data)[:left])
        os.kill(os.getpid(), signal.SIGKILL)
    return write(fd, data)

def stop(source, target):
    if str(target).endswith(".summaries"):
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(source, target)

os.write, os.replace = (half, replace) if left >= 0 else (write, stop)
root = Path(sys.argv[1])
loss(root, run("a", root / "a.jsonl"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc which file is written")
@pytest.mark.parametrize("left", [0, 10, 150, -1])
def test_a_process_killed_while_it_keeps_summaries_harms_nobody(tmp_path, left):
    """What was kept before counts still, for what it is of."""
    one = run("a", write(tmp_path / "a.jsonl", 0.5))
    assert loss(tmp_path, one) == [0.5]
    write(tmp_path / "a.jsonl", 0.5, 0.7)
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), str(Path(__file__).parent), str(left)],
                            cwd=ROOT, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert loss(tmp_path, one) == [0.7]
    rewrite_unseen(tmp_path / "a.jsonl", 0.5, 0.8)
    assert loss(tmp_path, one) == [0.7], "the next one is kept again"
