"""The task document: SkyPilot's own keys, and nothing for what nobody asked for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from expiac import SkypilotJobConfig
from expiac.compile.task import task
from expiac.declare.fields import Kind, kinds_of
from expiac.declare.project import Project

PROJECT = Project(root=Path("/project"))


def document(run="true", **fields):
    return task(SkypilotJobConfig(**fields), run, "slurm/loop", PROJECT, None, gpus=0, is_composed=False)


@pytest.mark.parametrize(("fields", "resources"), [
    ({}, {}),
    ({"any_of": [{"infra": "aws"}, {"infra": "gcp"}]}, {"any_of": [{"infra": "aws"}, {"infra": "gcp"}]}),
    ({"ports": [8080, "10020-10040"]}, {"ports": [8080, "10020-10040"]}),
    ({"labels": {"team": "rl"}}, {"labels": {"team": "rl"}}),
    ({"priority": 0}, {"priority": 0}),
    ({"max_restarts": 2}, {"job_recovery": {"max_restarts_on_errors": 2}}),
    ({"managed": False}, {"autostop": {"idle_minutes": 60, "down": True}}),
    ({"managed": False, "autostop": 5}, {"autostop": {"idle_minutes": 5, "down": True}}),
    ({"recover_on_exit_codes": [33]}, {"job_recovery": {"recover_on_exit_codes": [33]}}),
])
def test_resources_say_what_was_asked_for(fields, resources):
    """In SkyPilot's words, and no more."""
    assert document(**fields)["resources"] == {"infra": "slurm/loop", **resources}


def test_a_job_finds_where_its_results_go():
    """Every job; where it says nothing, the project does."""
    assert document()["envs"] == {"DATA_DIR": "./train_dir"}
    assert document(data_dir="/shared")["envs"] == {"DATA_DIR": "/shared"}


def test_a_job_without_hydra_finds_its_config():
    """By its path from the working directory; Hydra looks by its own rules."""
    composed = task(SkypilotJobConfig(), "true", None, PROJECT, "config.yaml", gpus=0, is_composed=True)
    assert composed["file_mounts"] == {"~/sky_workdir/configs/experiments/@instance@.yaml": "config.yaml"}
    assert "EXPIAC_CONFIG" not in composed["envs"]
    read = task(SkypilotJobConfig(), "true", None, PROJECT, "config.toml", gpus=0, is_composed=False)
    assert read["file_mounts"] == {"~/sky_workdir/configs/experiments/@instance@.toml": "config.toml"}
    assert read["envs"]["EXPIAC_CONFIG"] == "configs/experiments/@instance@.toml"


@pytest.mark.parametrize("wrong", ["~/runs", "s3://bucket/runs", ""])
def test_results_go_to_a_path(wrong):
    """A mount brings a bucket there; the trainer expands no tilde."""
    with pytest.raises(ValueError, match="data_dir"):
        SkypilotJobConfig(data_dir=wrong)


def test_secrets_are_names():
    """Their values are met at the launch, by the provider."""
    assert document(secrets=["WANDB_API_KEY"])["secrets"] == {"WANDB_API_KEY": None}


def test_a_limited_command_is_the_same_command():
    """Quotes, variables and the exit code go through; only time is taken away."""
    run = document("echo \"it's $((1 + 1))\" '$HOME'\nexit 3\n", max_runtime="1m")["run"]
    done = subprocess.run(["bash", "-c", run], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("it's 2 $HOME\n", 3)
    late = subprocess.run(["bash", "-c", document("sleep 60", max_runtime=1)["run"]], check=False)
    assert late.returncode == 124


@pytest.mark.parametrize("wrong", ["soon", "1h30m", 0, "0"])
def test_a_time_limit_is_a_duration(wrong):
    with pytest.raises(ValueError, match="max_runtime"):
        SkypilotJobConfig(max_runtime=wrong)


def test_what_describes_the_next_launch_restarts_nothing():
    kinds = kinds_of(SkypilotJobConfig)
    assert {name for name, kind in kinds.items() if kind is Kind.ANNOTATION} == {"priority", "labels"}
    assert kinds["secrets"] is kinds["max_runtime"] is kinds["any_of"] is Kind.PLACEMENT
