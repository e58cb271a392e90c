"""`expiac render --out`: a folder that holds what the stack renders to now, and whatever else is not expiac's."""

from __future__ import annotations

import pytest

OTHER = """
from expiac import Job, SkypilotJobConfig, Stack
other = Stack("other", [Job("say_1", run="true", skypilot=SkypilotJobConfig(workdir=None))])
"""


@pytest.fixture
def names(project):
    """The names of the files in the folder of snapshots."""
    return lambda: sorted(file.name for file in (project / "snapshots").iterdir() if file.name[0] != ".")


def test_the_files_of_a_removed_job_go(expiac, names):
    """And it is told."""
    expiac("render", "lab", "jobs=2", "--out", "snapshots")
    assert names() == ["say_0.task.yaml", "say_1.task.yaml"]
    said = expiac("render", "lab", "--out", "snapshots")
    assert said.out.splitlines() == ["snapshots/say_0.task.yaml",
                                     "snapshots/say_1.task.yaml   removed: no longer rendered"]
    assert names() == ["say_0.task.yaml"]


def test_no_file_of_others_goes(project, expiac, names):
    """Not even one of a name that expiac might give, nor what was put there once expiac's own was removed."""
    mine = project / "snapshots" / "say_1.task.yaml"
    mine.parent.mkdir()
    mine.write_text("mine")
    expiac("render", "lab", "--out", "snapshots")
    assert names() == ["say_0.task.yaml", "say_1.task.yaml"]
    expiac("render", "lab", "jobs=3", "--out", "snapshots")
    expiac("render", "lab", "--out", "snapshots")
    mine.write_text("mine")
    expiac("render", "lab", "--out", "snapshots")
    assert mine.read_text() == "mine"


def test_two_stacks_may_share_a_folder(project, expiac, names):
    """A file that the other stack renders too stays."""
    (project / "stacks" / "other.py").write_text(OTHER)
    expiac("render", "lab", "jobs=3", "--out", "snapshots")
    expiac("render", "other", "--out", "snapshots")
    expiac("render", "lab", "--out", "snapshots")
    assert names() == ["say_0.task.yaml", "say_1.task.yaml"]


@pytest.mark.parametrize("listed", ["{", "[]", '{"lab": [1]}'])
def test_a_damaged_list_is_refused(project, expiac, names, listed):
    """Before anything is written."""
    (project / "snapshots").mkdir()
    (project / "snapshots" / ".rendered.json").write_text(listed)
    said = expiac("render", "lab", "--out", "snapshots")
    assert (said.code, "Unreadable list" in said.err, names()) == (1, True, [])


def test_a_list_names_nothing_outside_its_folder(project, expiac):
    """Whoever wrote it."""
    (project / "snapshots").mkdir()
    (project / "snapshots" / ".rendered.json").write_text('{"lab": ["../stacks/lab.py", "..", "/etc/hostname"]}')
    assert expiac("render", "lab", "--out", "snapshots").code == 0
    assert (project / "stacks" / "lab.py").exists()
