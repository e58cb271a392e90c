"""Runs stand in Weights & Biases under the repository's name, whichever folder they were launched from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from expiac.apply.launch import inputs
from expiac.compile.prepare import desired
from expiac.compile.wandb_names import project_name, wandb_names
from expiac.declare.job import Job, SkypilotJobConfig
from expiac.declare.stack import Stack
from expiac.declare.training import TrainingJob
from expiac.plan.identity import identity_digest
from expiac.state.events import Run


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("address", ["git@host:team/ant-farm.git", "https://host/team/ant-farm", "/srv/git/ant-farm/"])
def test_clones_of_one_repository_have_one_project(tmp_path, address):
    """By the repository's address: the folder of a clone may have any name."""
    git(tmp_path, "init")
    git(tmp_path, "remote", "add", "origin", address)
    assert project_name(tmp_path) == "ant-farm"


def test_a_project_that_names_itself_has_that_name(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "ants"\n[tool.expiac]\n')
    assert project_name(tmp_path) == "ants"


def test_a_name_that_the_service_refuses_is_made_one_that_it_takes(tmp_path):
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "a/b#c {"x" * 200}"\n')
    assert project_name(tmp_path) == f"a-b-c {'x' * 122}"


def test_what_the_user_has_set_counts_before_the_name_of_the_repository(tmp_path):
    given = {"WANDB_PROJECT": "mine", "WANDB_ENTITY": "team", "WANDB_BASE_URL": "http://127.0.0.1:1"}
    assert wandb_names(tmp_path, {**given, "WANDB_API_KEY": "secret"}) == given


def env(project, job) -> dict[str, str]:
    (want,) = desired(Stack("lab", [job]), project)
    assert want.digest == identity_digest(job.type, want.inputs, want.kinds, ())  # the names are no part of it
    return dict(inputs(want, Run("lab.a.0", "", 0, 1), stack="lab", lineage="", outputs=lambda _: {}).env)


def test_a_launch_is_told_project_group_phase_and_id(project, monkeypatch):
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    told = env(project, TrainingJob("a", skypilot=SkypilotJobConfig(workdir=None)))
    assert {name: told[f"WANDB_{name}"] for name in ("PROJECT", "RUN_GROUP", "JOB_TYPE", "RUN_ID")} == {
        "PROJECT": "expiac", "RUN_GROUP": "lab", "JOB_TYPE": "train", "RUN_ID": "lab.a.0"}


def test_what_a_job_says_itself_is_left_to_it(project):
    own = {"WANDB_PROJECT": "own", "WANDB_RUN_GROUP": "g"}
    told = env(project, Job("a", run="true", skypilot=SkypilotJobConfig(workdir=None, envs=own)))
    assert not told.keys() & {*own, "WANDB_JOB_TYPE"}
