"""How far ended runs came is kept while their files look the same; else it is read from the files."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from expiac.apply.metrics.places import Look
from expiac.apply.metrics.progress_cache import ProgressCache
from expiac.apply.metrics.sources import FilesHere
from expiac.apply.progress import statuses_of
from expiac.state.events import Run
from expiac.state.model import Record, State
from expiac.state.status import Status


@pytest.fixture
def record(tmp_path: Path) -> Record:
    write(tmp_path / "a.jsonl", 1, 2)
    return Record("a", "job", "local", Run("lab.a.0a1b2c3d", "f", 1, 1), {}, status=Status.SUCCEEDED,
                  outputs={"metrics": str(tmp_path / "a.jsonl")})


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "progress" / "lab"


def write(file: Path, *steps: int) -> None:
    """Whole numbers of one digit, so that as many are as long."""
    old = file.stat() if file.exists() else None
    with file.open("r+" if old else "w") as stream:
        stream.write("".join(f'{{"step": {step}, "loss": 0.5}}\n' for step in steps))
    if old:
        os.utime(file, ns=(old.st_atime_ns, old.st_mtime_ns))


def step(kept: Path, *records: Record) -> int:
    """How far the first one is, for a command of its own."""
    state = State("lab", "0" * 32, records={one.address: one for one in records})
    first, *_ = statuses_of(state, (FilesHere(),), Look(state.lineage), ProgressCache(kept))
    assert first.progress is not None
    return first.progress.step


def test_an_unchanged_file_of_an_ended_run_is_not_opened_again(record, kept, tmp_path):
    """Were it opened, the other step would be seen; a new time, or another launch, is another file."""
    assert step(kept, record) == 2
    write(tmp_path / "a.jsonl", 1, 3)
    assert step(kept, record) == 2
    assert step(kept, replace(record, run=replace(record.run, launch=2))) == 3
    write(tmp_path / "a.jsonl", 1, 4)
    os.utime(tmp_path / "a.jsonl")
    assert step(kept, record) == 4


def test_a_run_that_goes_on_is_read_each_time(record, kept, tmp_path):
    live = replace(record, status=Status.RUNNING)
    assert step(kept, live) == 2
    write(tmp_path / "a.jsonl", 1, 3)
    assert step(kept, live) == 3
    assert not kept.exists()


def test_what_is_kept_is_all_that_status_shows(record, kept):
    state = State("lab", "0" * 32, records={"a": record})
    before, after = (statuses_of(state, (FilesHere(),), Look(state.lineage), ProgressCache(kept)) for _ in range(2))
    assert before == after == statuses_of(state, (FilesHere(),), Look(state.lineage))


def test_a_damaged_file_is_ignored(record, kept, tmp_path):
    """Changed or cut at any byte, or of another kind."""
    assert step(kept, record) == 2
    data = kept.read_bytes()
    write(tmp_path / "a.jsonl", 1, 3)
    assert step(kept, record) == 2, "the whole one counts"
    for at in range(len(data)):
        for damaged in (data[:at], data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]):
            kept.write_bytes(damaged)
            assert step(kept, record) == 3
    kept.unlink()
    kept.mkdir()
    assert step(kept, record) == 3


def test_a_run_that_is_gone_is_forgotten(record, kept):
    """With the next thing that is kept."""
    other = replace(record, address="b", run=replace(record.run, instance="lab.b.0a1b2c3d"))
    step(kept, record)
    step(kept, other)
    assert b"lab.b." in kept.read_bytes()
    assert b"lab.a." not in kept.read_bytes()
