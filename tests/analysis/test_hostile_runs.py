"""What stands in the place of a metrics file may be anything: it is read, or the run is named; nothing waits for it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from expiac.analysis import Results
from expiac.analysis.cache import HistoryCache
from expiac.analysis.runs import Run
from expiac.declare.project import Project
from expiac.state.events import Run as RunName
from expiac.state.model import Record, State
from expiac.state.status import Status

ROOT = Path(__file__).parents[2]
NOISE = bytes(range(128, 256)) * 400 + b"\n" + random.Random(0).randbytes(50_000)
GOOD = '{"step": 1, "loss": 0.5}\n'


def run(name: str, path: Path, status: Status = Status.SUCCEEDED) -> Run:
    return Run(name, f"lab.{name}.0a1b2c3d", 1, status, metrics_path=str(path))


def results(root: Path, *runs: Run) -> Results:
    """Of these runs, and no others."""
    records = {run.job: Record(run.job, "job", "local", RunName(run.instance, "f", 1, run.launch), {},
                               status=run.status, outputs={"metrics": run.metrics_path}) for run in runs}
    return Results(State("lab", "0" * 32, records=records), Project(root), known=runs)


def link(to: str) -> Callable[[Path], None]:
    return lambda file: file.symlink_to(file.parent / to)


@pytest.mark.parametrize(("name", "make", "why"), [
    ("metrics.jsonl", os.mkfifo, "Not a regular file"),
    ("metrics.csv", os.mkfifo, "Not a regular file"),
    ("events.out.tfevents.1.host", os.mkfifo, "Not a regular file"),
    ("run-1.wandb", os.mkfifo, "Not a regular file"),
    ("metrics.jsonl", lambda file: file.symlink_to("/dev/zero"), "Not a regular file"),
    ("metrics.jsonl", link("nowhere"), "No such file"),
    ("metrics.jsonl", link("metrics.jsonl"), "Too many levels"),
    ("metrics.jsonl", lambda file: file.write_bytes(NOISE), "no metrics can be read"),
    ("metrics.csv", lambda file: file.write_bytes(NOISE), "no metrics can be read"),
    ("events.out.tfevents.1.host", lambda file: file.write_bytes(NOISE), "no metrics can be read"),
    ("run-1.wandb", lambda file: file.write_bytes(NOISE), "no metrics can be read"),
    ("metrics.jsonl", lambda file: file.write_text(GOOD, encoding="utf-16"), "no metrics can be read"),
    ("metrics.jsonl", lambda file: file.touch(), "no metrics can be read"),
])
def test_what_cannot_be_read_is_named(tmp_path, name, make, why):
    """At the path itself; and the other run is shown, both times that one asks."""
    make(tmp_path / name)
    (tmp_path / "good.jsonl").write_text(GOOD)
    for _ in range(2):
        found = results(tmp_path, run("bad", tmp_path / name), run("good", tmp_path / "good.jsonl"))
        assert found.runs["loss"].to_list() == [None, 0.5]
        (note,) = found.notes
        assert note.startswith("bad: ")
        assert why in note


@pytest.mark.parametrize("make", [os.mkfifo, link("nowhere"), link("metrics.jsonl")])
def test_in_a_folder_too(tmp_path, make):
    make(tmp_path / "metrics.jsonl")
    found = results(tmp_path, run("bad", tmp_path))
    assert found.runs.height == 1
    assert "metrics.jsonl" in found.notes[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_somebody_else(tmp_path):
    (tmp_path / "metrics.jsonl").write_text(GOOD)
    (tmp_path / "metrics.jsonl").chmod(0)
    found = results(tmp_path, run("bad", tmp_path))
    assert found.runs.height == 1
    assert "Permission denied" in found.notes[0]


@pytest.mark.parametrize(("bad", "losses"), [
    (b'{"step": 2, "note": "' + b"x" * 10_000_000 + b'"}\n', [0.5]),
    (b"[" * 100_000 + b"\n", [0.5]),
    (b'{"step": 2, "loss": ' + b"9" * 400 + b"}\n", [0.5, float("inf")]),
    (b'{"step": 2, "loss": 1, "loss": 2}\n', [0.5, 2.0]),
    (b'{"step": 2, "loss": {"train": 1}}\n{"step": 2, "loss": "0.3"}\n{"step": 2, "loss": true}\n', [0.5]),
    (b'{"step": 2, "loss": 3', [0.5]),
    (b"\xff\xfe\x00\n\n\r\n", [0.5]),
])
def test_lines_that_are_no_rows_are_left_out(tmp_path, bad, losses):
    """The rest of the file is read; of a key that stands twice, the last value counts; no text is a number."""
    (tmp_path / "metrics.jsonl").write_bytes(b"\xef\xbb\xbf" + GOOD.encode() + bad)
    found = results(tmp_path, run("a", tmp_path))
    assert found.histories["value"].to_list() == losses
    assert found.notes == []


def test_a_quotation_mark_that_is_never_closed_ends_with_its_line(tmp_path):
    (tmp_path / "metrics.csv").write_text('step,loss\n1,"0.5\n2,0.25\n')
    assert results(tmp_path, run("a", tmp_path)).histories["value"].to_list() == [0.5, 0.25]


# ------------------------------------------------------------------------------------------------------------ memory

PEAK = """
import re, sys
from pathlib import Path
sys.path.insert(0, "tests/analysis")
from test_hostile_runs import results, run
import expiac.analysis.frames
def peak():  # in KiB; what getrusage says of a child begins with the memory of its parent
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before, folder = peak(), Path(sys.argv[1])
found = results(folder, run("huge", folder))
print(found.histories.height, (peak() - before) // 1024)
"""


def write_rows(folder: Path, form: str, rows: int) -> None:
    """A metric in each row."""
    if form == "tensorboard":
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

        with (folder / "events.out.tfevents.1.host").open("wb") as stream:
            writer = RecordWriter(stream)
            for step in range(rows):
                value = Summary.Value(tag="loss", simple_value=step / 2)
                writer.write(Event(step=step, wall_time=step, summary=Summary(value=[value])).SerializeToString())
    elif form == "wandb":
        from wandb.proto.wandb_internal_pb2 import Record
        from wandb.sdk.internal.datastore import DataStore

        (folder / "offline-run-1").mkdir()
        store = DataStore()
        store.open_for_write(str(folder / "offline-run-1" / "run-1.wandb"))
        for step in range(rows):
            record = Record()
            for key, text in (("_step", str(step)), ("loss", str(step / 2))):
                record.history.item.add(key=key, value_json=text)
            store.write(record)
        store.close()
    elif form == "csv":
        with (folder / "metrics.csv").open("w") as stream:
            stream.write("step,loss\n")
            stream.writelines(f"{step},{step / 2}\n" for step in range(rows))
    else:
        with (folder / "metrics.jsonl").open("w") as stream:
            stream.writelines(f'{{"step": {step}, "loss": {step / 2}}}\n' for step in range(rows))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is told by Linux")
@pytest.mark.parametrize("form", ["jsonl", "csv", "tensorboard", "wandb"])
@pytest.mark.parametrize("rows", [pytest.param(100_000, marks=pytest.mark.slow),
                                  pytest.param(1_000_000, marks=pytest.mark.soak)])
def test_a_huge_run_needs_bounded_memory(tmp_path, form, rows):
    """Above what the packages need: some 30 MB, and 500 bytes a row at most. As dictionaries, a row takes far more."""
    pytest.importorskip("tensorboard")
    write_rows(tmp_path, form, rows)
    done = subprocess.run([sys.executable, "-c", PEAK, str(tmp_path)], capture_output=True, text=True, timeout=900,
                          cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": "2"})
    assert done.returncode == 0, done.stderr
    height, mebibytes = map(int, done.stdout.split())
    print(form, rows, mebibytes, "MiB")
    assert height == rows
    assert 0 < mebibytes < 60 + rows * 500 / 2**20


# ------------------------------------------------------------------------------------------------------- the cache

def test_runs_that_are_gone_leave_no_files(tmp_path):
    """Once something else is read."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(GOOD)
        assert results(tmp_path, run(name, tmp_path / f"{name}.jsonl")).histories.height == 1
    (file,) = (tmp_path / ".expiac/cache/results/lab").iterdir()
    assert b"lab.b." in file.read_bytes()
    assert b"lab.a." not in file.read_bytes()


def test_many_files_become_few(tmp_path):
    """And what they hold is still known: nothing is read from the source again."""
    runs = []
    for number in range(30):
        (tmp_path / f"{number}.jsonl").write_text(GOOD)
        runs.append(run(f"job_{number}", tmp_path / f"{number}.jsonl"))
        assert results(tmp_path, *runs).histories.height == number + 1
    folder = tmp_path / ".expiac/cache/results/lab"
    assert len(list(folder.iterdir())) < 12
    wanted = {run.instance: {"launch": 1, "content": None} for run in runs}
    logged, found = HistoryCache(folder).read(wanted)
    assert (logged.height, len(found)) == (30, 30)


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "metrics.jsonl").write_text(GOOD)
    (tmp_path / ".expiac").mkdir()
    (tmp_path / ".expiac" / "cache").write_text("a file")
    assert results(tmp_path, run("a", tmp_path)).histories.height == 1
