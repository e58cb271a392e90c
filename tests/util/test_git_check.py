"""`git_check`: a launch from a tree that nobody else could check out is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from expiac.apply.events import Silent
from expiac.declare.project import find_project
from expiac.session import Session
from expiac.util.errors import ExpiacError
from expiac.util.git import refuse_unpushed

STACK = """
from expiac import Job, SkypilotJobConfig, Stack
small = Stack("small", [Job("a", run="true", skypilot=SkypilotJobConfig(workdir=None, git_check=True))])
"""


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A committed tree that was pushed."""
    git(tmp_path, "init", "--bare", "far")
    git(tmp_path, "init", "near")
    near = tmp_path / "near"
    (near / "file").write_text("1")
    git(near, "add", "file")
    git(near, "commit", "-m", "one")
    git(near, "remote", "add", "origin", str(tmp_path / "far"))
    git(near, "push", "origin", "HEAD:main")
    return near


def test_a_pushed_tree_goes(tree):
    """Nothing to refuse."""
    refuse_unpushed(tree, "a")


def test_a_changed_file_is_named(tree):
    """Tracked or not."""
    (tree / "new").write_text("2")
    with pytest.raises(ExpiacError, match="not everything is committed: new"):
        refuse_unpushed(tree, "a")


def test_a_commit_that_no_remote_holds_is_refused(tree):
    """Committed is not enough."""
    git(tree, "commit", "--allow-empty", "-m", "two")
    with pytest.raises(ExpiacError, match="Commit not pushed"):
        refuse_unpushed(tree, "a")


def test_an_apply_is_refused_before_anything_is_written(tmp_path):
    """A folder without git is no pushed tree either; the plan may still be looked at."""
    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\n")
    (tmp_path / "templates").symlink_to(Path(__file__).parents[2] / "templates")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/small.py").write_text(STACK)
    with Session.open("small", reporter=Silent(), project=find_project(tmp_path)) as session:
        with pytest.raises(ExpiacError, match="a has git_check"):
            session.apply(session.plan())
        assert session.state.serial == 0


def test_a_plan_says_what_will_be_refused(tmp_path):
    """Before anybody approves it; in words that say how to go on."""
    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/small.py").write_text(STACK)
    with Session.open("small", reporter=Silent(), project=find_project(tmp_path)) as session:
        (warning,) = session.plan().warnings
    assert warning == (f"apply will refuse: a has git_check, and {tmp_path} is no git working tree "
                       "(git_check=False lets it go as it is)")
