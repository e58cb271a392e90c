"""A plan says how much code goes along where that is much, and which files are the largest. Nothing is read for it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from expiac import Job, SkypilotJobConfig, Stack
from expiac.apply.code_size import warn_of_size
from expiac.compile.prepare import desired
from expiac.declare.project import Project, find_project
from expiac.plan import planner
from expiac.plan.planner import PlanOptions
from expiac.state.model import State


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A git repository with a large file."""
    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    large(tmp_path / "data" / "x.bin", 400_000_000)
    large(tmp_path / "data" / "y.bin", 1_000_000)
    return find_project(tmp_path)


def large(file: Path, size: int) -> None:
    """A file with a hole in it: it takes no room."""
    file.parent.mkdir(exist_ok=True, parents=True)
    file.touch()
    os.truncate(file, size)


def warnings(project: Project, *places: SkypilotJobConfig) -> tuple[str, ...]:
    jobs = [Job(f"job_{number}", run="true", skypilot=place) for number, place in enumerate(places)]
    plan = planner.plan(desired(Stack("lab", jobs), project), State("lab", "0" * 32), PlanOptions())
    return warn_of_size(plan, project).warnings


TOLD = ("the working tree that goes along is 401 MB; largest: data/x.bin 400 MB; "
        ".gitignore keeps out what git does not track")


@pytest.mark.parametrize("infra", ["local", "slurm/loop"])
def test_a_large_tree_is_told_once(project, infra):
    place = SkypilotJobConfig(infra=infra)
    assert warnings(project, place, place) == (TOLD,)


def test_a_folder_of_the_tree_is_told_by_its_name(project):
    large(project.root / "src" / "weights.pt", 60_000_000)
    assert warnings(project, SkypilotJobConfig(workdir="src")) == (
        "the folder src that goes along is 60 MB; largest: src/weights.pt 60 MB; "
        ".gitignore keeps out what git does not track",)


def test_what_does_not_go_along_does_not_count(project):
    """What git ignores, the state, and a tree of which a job takes nothing."""
    assert warnings(project, SkypilotJobConfig(workdir=None)) == ()
    (project.root / ".gitignore").write_text("*.bin\n")
    large(project.root / ".expiac" / "local" / "z", 60_000_000)
    assert warnings(project, SkypilotJobConfig()) == ()


def test_rules_of_skypilots_own_are_left_to_it(project):
    """Where it does not go by git, expiac does not know what goes along."""
    (project.root / ".skyignore").write_text("data\n")
    assert warnings(project, SkypilotJobConfig(infra="slurm/loop")) == ()
    assert warnings(project, SkypilotJobConfig()) == (TOLD,)


def test_a_folder_without_git_counts_too(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\n")
    large(tmp_path / "a.bin", 60_000_000)
    (warning,) = warnings(find_project(tmp_path), SkypilotJobConfig())
    assert "60 MB; largest: a.bin 60 MB" in warning
