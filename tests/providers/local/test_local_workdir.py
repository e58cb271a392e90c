"""A job gets the code as it is, keeps its results over launches, and nothing is written outside its folder."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from expiac.providers.base import Id, Presence
from expiac.state.status import Status
from expiac.util.errors import ExpiacError

FIRST, SECOND = Id("lineage", "code.job.00000001", 1), Id("lineage", "code.job.00000001", 2)


@pytest.fixture
def project(local) -> Path:
    local.provider()
    return local.root / "project"


def launch(local, id: Id, run: str = "true", **task: object) -> list[str]:
    """What the launch printed, once it succeeded."""
    local.start(id, run, workdir=".", **task)
    said = local.said(id)
    assert local.read(id).status is Status.SUCCEEDED, said
    return said


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


FIND = "find . -type f -o -type l | sort"


def test_without_git_all_but_what_runs_leave_is_copied(local, project: Path) -> None:
    fill(project, "train.py", "lib/a.py", "lib/__pycache__/a.pyc", "train_dir/x/latest.pt", "wandb/run", ".venv/bin/x")
    assert launch(local, FIRST, FIND) == ["./lib/a.py", "./train.py"]


def test_in_a_git_repository_what_git_would_track_is_copied(local, project: Path) -> None:
    """Edits and new files too; ignored ones and deleted ones not."""
    fill(project, "train.py", "gone.py", "lib/ä b.py", "data/big.bin", ".gitignore")
    (project / ".gitignore").write_text("data/\n")
    for command in ("init -q", "add .", "-c user.name=a -c user.email=a@b commit -qm x"):
        subprocess.run(["git", "-C", project, *command.split()], check=True)
    (project / "gone.py").unlink()
    (project / "train.py").write_text("edited")
    fill(project, "new.py")
    (project / "link.py").symlink_to("train.py")
    assert launch(local, FIRST, f"{FIND}; cat train.py") == [
        "./.gitignore", "./lib/ä b.py", "./link.py", "./new.py", "./train.py", "edited"]


def test_a_relaunch_brings_new_code_and_keeps_results(local, project: Path) -> None:
    """A file that was removed from the code is removed; a checkpoint stays, so training resumes."""
    fill(project, "train.py", "old.py", "both.py")
    launch(local, FIRST, "mkdir -p train_dir; echo 10 > train_dir/latest.pt; echo job > both.py")
    (project / "old.py").unlink()
    fill(project, "new.py")
    (project / "train.py").write_text("edited")
    assert launch(local, SECOND, f"{FIND}; cat train.py both.py") == [
        "./both.py", "./new.py", "./train.py", "./train_dir/latest.pt", "editedboth.py"]


def test_mounts_are_texts_or_files_of_the_project(local, project: Path) -> None:
    fill(project, "train.py", "data/a", "data/b/c")
    mounts = {"configs/x.yaml": "config.yaml", "~/home.yaml": "config.yaml", "~/sky_workdir/y.yaml": "config.yaml",
              "input": "data", "~/one": "./data/a"}
    said = launch(local, FIRST, f"{FIND}; cat configs/x.yaml ~/home.yaml y.yaml ~/one",
                  file_mounts=mounts, texts={"config.yaml": "lr: 1\n"})
    assert said == ["./configs/x.yaml", "./data/a", "./data/b/c", "./input/a", "./input/b/c", "./train.py", "./y.yaml",
                    "lr: 1", "lr: 1", "lr: 1", "data/a"]


OUTSIDE = ["/etc/x", "../../x", "a/../../../x", "~/../x", "~root/x", "~", "..", "~/sky_workdir/../.."]


@pytest.mark.parametrize("target", OUTSIDE)
def test_a_mount_that_would_leave_the_folder_is_refused(local, project: Path, target: str) -> None:
    """At planning time and at launch; nothing starts."""
    job = local.job("true", workdir=".", file_mounts={target: "config.yaml"}, texts={"config.yaml": ""})
    with pytest.raises(ExpiacError, match="would leave"):
        local.provider().examine(job)
    with pytest.raises(ExpiacError, match="would leave"):
        local.provider().create(FIRST, job, lambda _: None)
    assert local.read(FIRST).presence is Presence.ABSENT


def test_a_mount_does_not_leave_through_a_link(local, project: Path) -> None:
    fill(local.root, "outside/file")
    (project / "out").symlink_to(local.root / "outside")
    job = local.job("true", workdir=".", file_mounts={"out/file": "config.yaml"}, texts={"config.yaml": "overwritten"})
    with pytest.raises(ExpiacError, match="would leave"):
        local.provider().create(FIRST, job, lambda _: None)
    assert (local.root / "outside/file").read_text() == "outside/file"


def test_code_does_not_leave_through_a_link_that_a_job_made(local, project: Path) -> None:
    """A job replaced a folder of the code by a link; the next launch puts the code back, and writes nowhere else."""
    fill(project, "lib/a.py", "lib/old.py")
    fill(local.root, "outside/old.py")
    launch(local, FIRST, f"rm -r lib; ln -s {local.root}/outside lib")
    (project / "lib/old.py").unlink()
    assert launch(local, SECOND, "cat lib/a.py") == ["lib/a.py"]
    assert [file.name for file in (local.root / "outside").iterdir()] == ["old.py"]


def test_a_missing_source_is_named(local, project: Path) -> None:
    job = local.job("true", file_mounts={"x": "no/such/file"})
    with pytest.raises(ExpiacError, match="no/such/file"):
        local.provider().create(FIRST, job, lambda _: None)
    with pytest.raises(ExpiacError, match="No bucket"):
        local.provider().examine(local.job("true", file_mounts={"x": "s3://bucket"}))
    with pytest.raises(ExpiacError, match="No such workdir"):
        local.provider().create(FIRST, local.job("true", workdir="nowhere"), lambda _: None)


def test_others_cannot_look_into_a_run(local, project: Path) -> None:
    launch(local, FIRST)
    run = local.folder(FIRST)
    sent = run / "launches/1/sent"
    folders = [run, run / "home", run / "launches", run / "launches/1", sent, local.machine.folder]
    assert {oct(folder.stat().st_mode & 0o777) for folder in folders} == {"0o700"}
    files = [file for folder in (run / "launches/1", sent) for file in folder.iterdir()
             if file.is_file() and file.name != "supervisor.log"]
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}


def test_outputs_are_those_that_exist(local, project: Path) -> None:
    job = local.job("echo 1 > a", workdir=".", outputs={"a": "a", "b": "b"})
    local.provider().create(FIRST, job, lambda _: None)
    assert local.until(FIRST, Status.SUCCEEDED).outputs == {"a": str(local.folder(FIRST) / "home/sky_workdir/a")}


def test_what_was_sent_is_kept_with_the_launch(local, project: Path) -> None:
    """Byte for byte; nothing of another lineage's launch, nor of one that holds secrets itself."""
    job = local.job("true")
    local.provider().create(FIRST, job, lambda _: None)
    assert local.provider().sent_files(FIRST) == {name: text.encode() for name, text in job.texts.items()}
    assert local.provider().sent_files(replace(FIRST, lineage="other")) == {}
    second = replace(FIRST, instance="lab.secret.0a1b2c3d")
    local.provider().create(second, local.job("true", secrets={"GIVEN": "hush"}), lambda _: None)
    assert local.provider().sent_files(second) == {}
    assert local.provider().sent_files(replace(FIRST, instance="lab.never.0a1b2c3d")) == {}
