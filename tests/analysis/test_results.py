"""The tables of results, from real runs that write a metrics file."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest
from scipy.integrate import trapezoid

import expiac
from expiac import api
from expiac.analysis import Results, frames, history_frames
from expiac.analysis.histories import FoundHistories
from expiac.analysis.labels import short_names
from expiac.analysis.runs import runs_of
from expiac.apply.metrics import Row
from expiac.apply.metrics.places import Found, Look
from expiac.apply.metrics.sources import FilesHere, MetricsFiles
from expiac.session import Session
from expiac.state.model import Record
from expiac.util.errors import UsageError

ROOT = Path(__file__).parents[2]


class Counting(FilesHere):
    """Counts how many histories are read from the metrics files."""

    def __init__(self) -> None:
        self.read = 0

    def find(self, runs: Sequence[Record], look: Look) -> Mapping[str, Found]:
        return {name: Found(CountedFiles(one.metrics.files, self)) for name, one in super().find(runs, look).items()
                if isinstance(one.metrics, MetricsFiles)}


@dataclass(frozen=True)
class CountedFiles(MetricsFiles):
    counting: Counting

    def rows(self) -> Iterable[Row]:
        self.counting.read += 1
        return super().rows()


def results(source: Counting) -> Results:
    with Session.open("lab", reporter=api.Silent(), declared=False) as session:
        session.status()
        state = session.observed
        return Results(state, session.project, source=FoundHistories(state, runs_of(state), (source,)))


def command(*words: str, width: int = 120) -> str:
    """What a command prints, in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "expiac", *words], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(width), "NO_COLOR": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_table_of_runs(applied):
    """A row a run: the setting that differs, the seed, the last reward."""
    runs = expiac.results("lab").runs.sort("job")
    assert runs.select("job", "status", "seed", "envs.LR", "step", "reward").rows() == [
        ("lr_1_seed_0", "succeeded", "0", "1", 30.0, 40.0), ("lr_1_seed_1", "succeeded", "1", "1", 30.0, 41.0),
        ("lr_2_seed_0", "succeeded", "0", "2", 30.0, 50.0), ("lr_2_seed_1", "succeeded", "1", "2", 30.0, 51.0)]
    assert runs["seconds"].null_count() == 0
    assert runs.to_pandas()["reward"].tolist() == [40.0, 41.0, 50.0, 51.0]


def test_the_table_of_histories(applied):
    """A row a value that was logged."""
    logged = expiac.results("lab").histories
    assert logged.height == 4 * 3
    assert logged.filter(pl.col("job") == "lr_2_seed_1").select("metric", "step", "elapsed", "value").rows() == [
        ("reward", 10.0, 10.0, 31.0), ("reward", 20.0, 20.0, 41.0), ("reward", 30.0, 30.0, 51.0)]


@pytest.mark.parametrize(("at", "reward"), [(20, 30.0), (25, 30.0), ("best", 40.0), ("auc", 30.0), (31, None)])
def test_another_value_of_a_metric(applied, at, reward):
    """At a step, the last one up to it; a run that has not come so far has none."""
    runs = expiac.results("lab", at=at).runs
    assert (runs["reward"][0] if "reward" in runs.columns else None) == reward


def test_an_unknown_value_is_refused(applied):
    with pytest.raises(UsageError, match="Invalid value"):
        expiac.results("lab", at="median")


def test_archived_runs_are_there_if_asked_for(applied):
    """Destroyed, they are results of the past."""
    api.destroy("lab")
    assert expiac.results("lab").runs.height == 0
    assert expiac.results("lab", archived=True).runs["archived"].to_list() == [True] * 4


# ------------------------------------------------------------------------------------------------------- the cache

def test_finished_runs_are_read_once(applied):
    first, again = Counting(), Counting()
    assert results(first).histories.equals(results(again).histories)
    assert (first.read, again.read) == (4, 0)


def test_a_file_that_changed_is_read_again(applied):
    """Its size or its time is another one."""
    (file, *_) = sorted(Path(path) for path in (run.metrics_path for run in results(Counting()).known) if path)
    assert results(Counting()).histories.height == 12
    with file.open("a") as more:
        more.write('{"step": 40, "metrics": {"reward": 7}}\n')
    again = Counting()
    assert results(again).histories.height == 13
    assert again.read == 1


def test_another_launch_is_read_again(applied):
    """Even where its file has the same size and time."""
    found = results(Counting())
    assert found.histories.height == 12
    again = Counting()
    later = results(again)
    later.known = tuple(replace(run, launch=2) for run in later.known)
    assert later.histories.height == 12
    assert again.read == 4


@pytest.mark.parametrize("damaged", [lambda whole: b"", lambda whole: whole[:-9], lambda whole: b"{}\n" + whole,
                                     lambda whole: whole[:-9] + bytes(9), lambda whole: b"\xff" * 99,
                                     lambda whole: b"[" * 200_000 + b"\n", lambda whole: with_content(whole, b"none"),
                                     lambda whole: with_content(whole, other_table())])
def test_a_damaged_cache_is_no_cache(applied, damaged):
    before = results(Counting()).histories
    (file,) = (applied / ".expiac" / "cache" / "results" / "lab").iterdir()
    file.write_bytes(damaged(file.read_bytes()))
    assert results(Counting()).histories.equals(before)


def test_a_pipe_in_the_cache_is_not_waited_for(applied):
    before = results(Counting()).histories
    os.mkfifo(applied / ".expiac" / "cache" / "results" / "lab" / "9.histories")
    assert results(Counting()).histories.equals(before)


def with_content(whole: bytes, content: bytes) -> bytes:
    """A file of the cache with another content, of which the checksum is right."""
    head = json.loads(whole.partition(b"\n")[0]) | {"checksum": zlib.crc32(content)}
    return json.dumps(head).encode() + b"\n" + content


def other_table() -> bytes:
    """Parquet, but no histories."""
    pl.DataFrame({"a": [1]}).write_parquet(made := io.BytesIO())
    return made.getvalue()


def test_a_history_outlives_its_file(applied):
    """As after a prune: what was read is still known."""
    before = results(Counting())
    assert before.histories.height == 12
    for run in before.known:
        Path(str(run.metrics_path)).unlink()
    assert results(Counting()).histories.equals(before.histories)


# ------------------------------------------------------------------------------------------------------- histories

def rows(*steps: float | None, start: float = 0.0) -> list[Row]:
    return [Row(step, metrics={"loss": start + place}) for place, step in enumerate(steps)]


def test_a_launch_that_went_on_from_a_checkpoint_counts_once():
    """What was logged after the checkpoint before the kill is left out."""
    frame = history_frames.of_one([*rows(1, 2, 3, 4), *rows(3, 4, 5, start=10)])
    assert frame.select("step", "value").rows() == [(1, 0.0), (2, 1.0), (3, 10.0), (4, 11.0), (5, 12.0)]


def test_an_evaluation_that_is_logged_late_takes_nothing_away():
    """Each metric goes back by itself."""
    frame = history_frames.of_one([*rows(1, 2, 3), Row(2, metrics={"eval": 1.0})])
    assert frame.height == 4


def test_rows_without_steps_are_counted():
    assert history_frames.of_one(rows(None, None, None))["step"].to_list() == [0.0, 1.0, 2.0]


def test_the_area_is_scipys():
    """By the trapezoid rule, at uneven steps, by the width."""
    steps, values = [0.0, 1.0, 5.0, 6.0], [3.0, -1.0, 4.0, 4.5]
    logged = history_frames.of_one([Row(step, metrics={"x": value}) for step, value in zip(steps, values, strict=True)])
    logged = logged.with_columns(pl.lit("run").alias("instance"))
    assert frames.figures(logged, "auc", {})["run"]["x"] == pytest.approx(trapezoid(values, steps) / 6)


def test_short_names():
    assert short_names(["a.lr", "b.lr", "a.width"]) == {"a.lr": "a.lr", "b.lr": "b.lr", "a.width": "width"}


# ---------------------------------------------------------------------------------------------------- the command

@pytest.mark.parametrize("width", [80, 120])
def test_the_table_of_the_command(applied, width):
    """Fits the screen, and has what matters."""
    lines = command("results", "lab", width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].split()[:6] == ["job", "status", "seed", "LR", "step", "reward"]
    assert lines[4].split()[:6] == ["lr_2_seed_1", "succeeded", "1", "2", "30", "51.0"]


def test_csv_and_parquet(applied):
    """What a spreadsheet and a notebook read: the same table."""
    (applied / "runs.csv").write_text(command("results", "lab", "--format", "csv"))
    known = expiac.results("lab").runs
    assert pl.read_csv("runs.csv")["reward"].to_list() == known["reward"].to_list()
    done = subprocess.run([sys.executable, "-m", "expiac", "results", "lab", "--format", "parquet", "--histories"],
                          capture_output=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)})
    (applied / "all.parquet").write_bytes(done.stdout)
    assert pl.read_parquet("all.parquet").equals(expiac.results("lab").histories)


def test_json(applied):
    """The settings and the metrics of each run by their full names."""
    (first, *_) = json.loads(command("results", "lab", "--json"))["results"]
    assert (first["settings"], first["metrics"], first["seed"]) == ({"envs.LR": "1"}, {"reward": 40.0}, "0")


@pytest.mark.parametrize("form", ["csv", "parquet", "json"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a file that is always full")
def test_a_full_disk_and_a_closed_pipe_are_no_traceback(applied, form):
    command = [sys.executable, "-m", "expiac", "results", "lab", "--no-refresh", "--format", form]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with open("/dev/full", "wb") as full:
        said = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, timeout=60)
    assert (said.returncode, said.stderr.splitlines()[0]) == (1, "Cannot write")
    reader, writer = os.pipe()
    os.close(reader)
    said = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, env=environment, timeout=60)
    os.close(writer)
    assert (said.returncode, said.stderr) == (1, "")
