"""`expiac render --out`: a folder that holds what the stack renders to now, and whatever else is not expiac's."""

from __future__ import annotations

import hashlib
import itertools
import json
import os

import pytest

from expiac.util.lock import take_folder_lock

OTHER = """
from expiac import Job, SkypilotJobConfig, Stack
other = Stack("other", [Job("say_1", run="true", skypilot=SkypilotJobConfig(workdir=None))])
"""


@pytest.fixture
def names(project):
    """The names of the files in the folder."""
    return lambda: sorted(file.name for file in (project / "rendered").iterdir() if file.name != "manifest.json")


def test_the_files_of_a_removed_job_go(expiac, names):
    """And it is told."""
    expiac("render", "lab", "jobs=2", "--out", "rendered")
    assert names() == ["say_0.task.yaml", "say_1.task.yaml"]
    said = expiac("render", "lab", "--out", "rendered")
    assert said.out.splitlines() == ["rendered/say_0.task.yaml",
                                     "rendered/say_1.task.yaml   removed: no longer rendered",
                                     "rendered/manifest.json"]
    assert names() == ["say_0.task.yaml"]


def test_no_file_of_others_goes(project, expiac, names):
    """Not even one of a name that expiac might give, nor what was put there once expiac's own was removed."""
    mine = project / "rendered" / "say_1.task.yaml"
    mine.parent.mkdir()
    mine.write_text("mine")
    expiac("render", "lab", "--out", "rendered")
    assert names() == ["say_0.task.yaml", "say_1.task.yaml"]
    expiac("render", "lab", "jobs=3", "--out", "rendered")
    expiac("render", "lab", "--out", "rendered")
    mine.write_text("mine")
    expiac("render", "lab", "--out", "rendered")
    assert mine.read_text() == "mine"


def test_files_in_folders_go_too(project, expiac):
    """Those of trials, whose names have the name of their sweep."""
    expiac("render", "lab", "--sweep", "words=a,b", "--out", "rendered")
    trials = sorted(project.glob("rendered/*/*.yaml"))
    assert len(trials) == 2
    said = expiac("render", "lab", "--out", "rendered")
    assert said.out.count("removed: no longer rendered") == 2
    assert not any(file.exists() for file in trials)


def test_a_link_leads_no_removal_elsewhere(project, expiac):
    """What an export left may be a folder elsewhere by now."""
    expiac("render", "lab", "--sweep", "words=a,b", "--out", "rendered")
    (folder,) = [file for file in (project / "rendered").iterdir() if file.is_dir()]
    folder.rename(project / "mine")
    folder.symlink_to(project / "mine")
    assert expiac("render", "lab", "--out", "rendered").code == 0
    assert len(list((project / "mine").iterdir())) == 2


def test_a_folder_is_that_of_one_stack(project, expiac, names):
    """The manifest says of which; another one's export changes nothing in it."""
    (project / "stacks" / "other.py").write_text(OTHER)
    expiac("render", "lab", "--out", "rendered")
    said = expiac("render", "other", "--out", "rendered")
    assert (said.code, "Folder of another stack\n  rendered has the files of lab" in said.err) == (1, True)
    assert names() == ["say_0.task.yaml"]


@pytest.mark.parametrize("written", ["{", "[]", '{"format_version": 2}', '{"format_version": 1, "stack": "lab"}'])
def test_a_damaged_manifest_is_refused(project, expiac, names, written):
    """Before anything is written: it may be a file of others."""
    (project / "rendered").mkdir()
    (project / "rendered" / "manifest.json").write_text(written)
    said = expiac("render", "lab", "--out", "rendered")
    assert (said.code, "Not a manifest" in said.err, names()) == (1, True, [])


@pytest.mark.parametrize("name", ["../../stacks/lab", "/etc/x", "a/../../stacks/lab"])
def test_a_manifest_names_nothing_outside_its_folder(project, expiac, name):
    """Whoever wrote it."""
    expiac("render", "lab", "--out", "rendered")
    manifest = project / "rendered" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"say_0"', f'"{name}"'))
    for words in (("render", "lab", "--out", "rendered"), ("verify", "rendered")):
        said = expiac(*words)
        assert (said.code, "is not in its folder" in said.err) == (1, True)
    assert (project / "stacks" / "lab.py").exists()


def test_an_export_says_the_same_each_time(project, expiac):
    """Byte for byte."""
    def export(folder: str) -> dict[str, bytes]:
        assert expiac("render", "lab", "jobs=2", "--out", folder).code == 0
        return {file.name: file.read_bytes() for file in (project / folder).iterdir()}

    assert export("one") == export("two") == export("one")


def test_the_manifest_has_the_digest_that_a_shell_makes(project, expiac):
    """`sha256sum` of each file, and of its lines."""
    expiac("render", "lab", "words=bye", "--out", "rendered")
    manifest = json.loads((project / "rendered" / "manifest.json").read_text())
    content = (project / "rendered" / "say_0.task.yaml").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    line = f"{digest}  say_0.task.yaml\n".encode()
    assert manifest["jobs"] == {"say_0": {"digest": hashlib.sha256(line).hexdigest(), "files": {"task.yaml": digest}}}
    assert (manifest["stack"], manifest["overrides"], manifest["commit"]) == ("lab", {"words": "bye"}, None)


def test_the_review_leaves_an_export_alone(project, expiac):
    """Even in its own folder: the files are the same, and the manifest is no snapshot."""
    assert expiac("render", "lab", "--out", "snapshots/lab").code == 0
    assert expiac("review", "lab", "--check").code == 0


@pytest.mark.parametrize("at", range(6))
def test_an_export_that_is_killed_leaves_whole_files(project, expiac, monkeypatch, at):
    """Each file is the old one or the new one, and the next export removes all else."""
    def export(words, jobs):
        return expiac("render", "lab", f"jobs={jobs}", f"words={words}", "--out", "rendered")

    export("old", 1)
    real, moves = os.replace, itertools.count()

    def dies(source, target):
        if next(moves) == at:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr("os.replace", dies)
    export("new", 4)
    monkeypatch.setattr("os.replace", real)
    left = {path.name: path.read_text(encoding="utf-8") for path in (project / "rendered").iterdir()}
    assert all(text.endswith("\n") for text in left.values())
    assert ("echo new" in left["say_0.task.yaml"]) == (at > 0)
    assert export("old", 1).code == 0
    assert sorted(path.name for path in (project / "rendered").iterdir()) == ["manifest.json", "say_0.task.yaml"]
    assert not list(project.glob(".rendered*"))


@pytest.mark.parametrize("link", ["rendered", "rendered/say_0.task.yaml", "rendered/manifest.json"])
def test_an_export_writes_through_no_link(project, expiac, link):
    """Nothing is written at all."""
    mine = project / "mine"
    if link == "rendered":
        mine.mkdir()
    else:
        (project / "rendered").mkdir()
    (project / link).symlink_to(mine)
    said = expiac("render", "lab", "--out", "rendered")
    assert (said.code, f"{link} is a symbolic link" in said.err) == (1, True), said.err
    assert not mine.exists() or not list(mine.iterdir())
    assert not list(project.glob(".rendered*"))


def test_one_export_at_a_time_writes_into_a_folder(project, expiac, monkeypatch):
    monkeypatch.setattr("expiac.cli.rendered.WAIT", 0.0)
    fd = take_folder_lock(project, 0)
    said = expiac("render", "lab", "--out", "rendered")
    os.close(fd)
    assert (said.code, "another export writes into" in said.err) == (1, True), said.err
    assert expiac("render", "lab", "--out", "rendered").code == 0
