"""A state that is pulled in one checkout and pushed in another: what runs in the first is not launched again."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest

from expiac.testing.contract import wait_until

RUNNING = ("lab", "seconds=60")


def status(expiac) -> tuple[str, str]:
    """The status of the one run, and why it can't be seen."""
    (say,) = json.loads(expiac("status", "lab", "--json").out)["resources"]
    return say["status"], say["unseen"]


@pytest.fixture
def clone(project: Path, expiac, tmp_path_factory) -> Path:
    """Another checkout, which has the state of a stack that runs in the first."""
    assert expiac("apply", *RUNNING, "--yes").code == 0
    folder: Path = tmp_path_factory.mktemp("clone")
    shutil.copytree(project, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".expiac"))
    wait_until(lambda: status(expiac) == ("running", ""), 60)
    assert expiac("refresh", "lab").code == 0
    (folder / "pulled").write_text(expiac("state", "pull", "lab").out)
    return folder


@pytest.fixture
def there(clone, expiac, project, monkeypatch):
    """The command line in the clone."""
    monkeypatch.chdir(clone)
    assert expiac("state", "push", "pulled", "--yes").code == 0
    yield expiac
    monkeypatch.chdir(project)


def test_what_runs_in_another_checkout_is_left_alone(there, clone, project, monkeypatch):
    """Status says where it is, apply launches nothing, and the first checkout still has it."""
    where = f"it was launched on {socket.gethostname()} in {project / '.expiac' / 'local'}"
    assert status(there) == ("running", where)
    said = there("apply", *RUNNING, "--yes")
    assert (said.code, "left alone: it was launched on" in said.out) == (0, True), said
    assert not (clone / ".expiac" / "local").exists()
    said = there("destroy", "lab", "--yes")
    assert (said.code, "not done: say_0" in said.err) == (1, True)
    monkeypatch.chdir(project)
    assert status(there) == ("running", "")


def test_what_was_stopped_in_another_checkout_is_a_new_run_here(expiac, clone, project, monkeypatch):
    """Its folder, and the checkpoints in it, are there: here it would begin anew under its old name."""
    def reason() -> str:
        (step,) = json.loads(expiac("plan", *RUNNING, "--json").out)["steps"]
        return f"{step['action']}: {step['reason']}"

    instance = json.loads(expiac("status", "lab", "--json").out)["resources"][0]["instance"]
    assert expiac("destroy", "lab", "--yes").code == 0
    assert reason() == f"relaunch: {instance} had these settings, was cancelled, and goes on"
    (clone / "pulled").write_text(expiac("state", "pull", "lab").out)
    monkeypatch.chdir(clone)
    assert expiac("state", "push", "pulled", "--yes").code == 0
    where = f"it was launched on {socket.gethostname()} in {project / '.expiac' / 'local'}"
    assert reason() == f"create: a new run; {instance} had these settings, and {where}"
    monkeypatch.chdir(project)
