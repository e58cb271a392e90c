"""The folder of snapshots."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from expiac.declare.project import Project
from expiac.review.snapshots import Snapshots, SnapshotSet, job_of
from expiac.util.errors import ExpiacError

LAB = SnapshotSet("lab")


@pytest.fixture
def snapshots(tmp_path):
    return Snapshots(Project(tmp_path))


def test_what_is_written_is_read(snapshots):
    snapshots.write(LAB, "a.config.yaml", b"x: 1\r\n")
    snapshots.write(LAB, "lr/trial.task.yaml", b"\xff")
    assert snapshots.read(LAB) == {"a.config.yaml": b"x: 1\r\n", "lr/trial.task.yaml": b"\xff"}
    assert snapshots.path(LAB, "a.config.yaml") == Path("snapshots/lab/a.config.yaml")


def test_the_last_file_takes_its_folders_along(snapshots):
    snapshots.write(LAB, "lr/trial.task.yaml", b"x")
    snapshots.remove(LAB, "lr/trial.task.yaml")
    assert (snapshots.read(LAB), snapshots.sets(), snapshots.folder.exists()) == ({}, [], True)


@pytest.mark.parametrize("words", [(), ("gpus=4",), ("a=1,2", "b=x/y", "c=@é %"), ("x=..",)])
def test_a_set_is_known_by_the_name_of_its_folder(words, snapshots):
    which = SnapshotSet("lab", words)
    assert SnapshotSet.named(which.name) == which
    snapshots.write(which, "a.task.yaml", b"x")
    assert snapshots.sets() == [which]


@pytest.mark.parametrize(("name", "found"), [
    ("a.config.yaml", ("a", "config.yaml")), ("a.b.task.yaml", ("a.b", "task.yaml")),
    ("lr/x.composed.yaml", ("lr/x", "composed.yaml")), ("a.config.json", ("a", "config.json")),
    ("README.md", None), ("config.yaml", None), (".config.yaml", None), ("notes.yaml", None)])
def test_of_what_a_file_is_the_snapshot(name, found):
    assert job_of(name) == found


def test_hidden_files_and_other_files_are_not_snapshots(snapshots):
    snapshots.write(LAB, "a.task.yaml", b"x")
    for name in (".rendered.json", ".a.task.yaml.tmp", "README.md"):
        (snapshots.folder / "lab" / name).write_text("x", encoding="utf-8")
    assert list(snapshots.read(LAB)) == ["a.task.yaml"]


def test_a_folder_that_cannot_be_written_is_told(snapshots):
    snapshots.folder.mkdir()
    (snapshots.folder / "lab").write_text("in the way", encoding="utf-8")
    with pytest.raises(ExpiacError, match="Cannot write"):
        snapshots.write(LAB, "a.task.yaml", b"x")


def test_the_folder_is_the_projects_choice(tmp_path):
    project = replace(Project(tmp_path), snapshots=Path("reviewed"))
    assert Snapshots(project).folder == tmp_path / "reviewed"
