"""`git_check`: a launch from a tree that nobody else could check out is refused."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from expiac import Job, SkypilotJobConfig, Stack
from expiac.apply.events import Silent
from expiac.apply.preconditions import refuse_unchecked
from expiac.compile.prepare import desired
from expiac.declare.program import load
from expiac.declare.project import find_project
from expiac.plan import planner
from expiac.plan.planner import PlanOptions
from expiac.session import Session
from expiac.state.model import State
from expiac.util.errors import ExpiacError
from expiac.util.git import refuse_unpushed

HERE = Path(__file__).parent
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


def test_a_file_that_git_does_not_track_is_seen_whatever_git_is_set_to(tree):
    git(tree, "config", "status.showUntrackedFiles", "no")
    (tree / "new").write_text("1")
    with pytest.raises(ExpiacError, match="not everything is committed: new"):
        refuse_unpushed(tree, "a")


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
        with pytest.raises(ExpiacError, match="a needs a tree that is committed and pushed"):
            session.apply(session.plan())
        assert session.state.serial == 0


def test_a_plan_says_what_will_be_refused(tmp_path):
    """Before anybody approves it; in words that say how to go on."""
    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/small.py").write_text(STACK)
    with Session.open("small", reporter=Silent(), project=find_project(tmp_path)) as session:
        (warning,) = session.plan().warnings
    assert warning == ("apply will refuse: a needs a tree that is committed and pushed (git_check), and "
                       f"{tmp_path} is no git working tree (git_check=False lets it go as it is)")


@pytest.mark.parametrize(("settings", "place", "checked"), [
    ("", {}, False),
    ("", {"infra": "local"}, False),
    ("", {"infra": "aws"}, True),
    ("", {"infra": "slurm/lab", "workdir": None}, True),
    ("", {"infra": "skypilot", "git_check": False}, False),
    ("", {"git_check": True}, True),
    ("backend = 'k8s/lab'", {}, True),
    ("backend = 'k8s/lab'", {"infra": "local"}, False),
    ("git_check = false", {"infra": "aws"}, False),
    ("git_check = false", {"infra": "aws", "git_check": True}, True),
    ("git_check = true", {}, True),
    ("git_check = true", {"git_check": False}, False),
    ("backend = 'memory'\nproviders.memory = 'expiac.testing.memory:MemoryProvider'", {}, False),
])
def test_jobs_that_leave_this_machine_are_checked(tmp_path, settings, place, checked):
    """Through SkyPilot; unless the job itself or the project says otherwise."""
    (tmp_path / "pyproject.toml").write_text(f"[tool.expiac]\n{settings}\n")
    job = Job("a", run="true", skypilot=SkypilotJobConfig(**place))
    (want,) = desired(Stack("small", [job]), find_project(tmp_path))
    assert want.git_check is checked


@pytest.mark.parametrize(("said", "checked"), [([], True), (["git_check=false"], False), (["infra=local"], False),
                                               (["infra=local", "git_check=true"], True)])
def test_an_experiment_may_say_it_for_its_jobs(tmp_path, said, checked):
    """Those that do not say themselves."""
    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\nbackend = 'aws'\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/small.py").write_text(
        "from expiac import *\ndef stack(config: ExperimentConfig) -> Stack:\n    return Stack('small', ["
        "Job('a', run='true'), Job('b', run='true', skypilot=SkypilotJobConfig(git_check=False))])\n")
    project = find_project(tmp_path)
    a, b = desired(load(project, "small", ["name=small", *said]).stack, project)
    assert (a.git_check, b.git_check) == (checked, False)


@pytest.mark.parametrize("inside", [".", "sub"])
def test_the_state_is_no_part_of_the_tree(tree, inside):
    """Each apply writes it, whether or not git ignores it; what lies beside it counts."""
    root = tree / inside
    (root / ".expiac" / "cache").mkdir(parents=True)
    (root / ".expiac" / "cache" / "x").write_text("1")
    refuse_unpushed(root, "a", apart_from=root / ".expiac")
    (tree / "new").write_text("2")
    with pytest.raises(ExpiacError, match="not everything is committed: new"):
        refuse_unpushed(root, "a", apart_from=root / ".expiac")


def test_an_adopted_job_needs_no_committed_tree(tmp_path):
    """Nothing is launched."""
    job = Job("a", run="true", skypilot=SkypilotJobConfig(workdir=None, git_check=True))
    project = replace(find_project(HERE), root=tmp_path)
    (want,) = desired(Stack("small", [job]), project)
    plan = planner.plan([want], State("small", "x"), PlanOptions())
    with pytest.raises(ExpiacError, match="a needs a tree"):
        refuse_unchecked(plan, project)
    refuse_unchecked(replace(plan, steps=(replace(plan["a"], adopts={"job_id": 12}),)), project)
