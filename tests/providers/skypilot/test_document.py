"""The task that SkyPilot is given: the rendered one, and what belongs to one launch."""

from __future__ import annotations

import json

import pytest
import yaml

from expiac.providers.base import Id, Inputs
from expiac.providers.skypilot.document import task_to_check, task_to_launch
from expiac.util.errors import ExpiacError

A = Id("lineage-a", "stack.job.0a1b2c3d", 2)
TASK = {
    "name": A.instance, "workdir": ".", "run": "true", "envs": {"MODE": "fast"}, "secrets": {"TOKEN": None},
    "file_mounts": {"~/sky_workdir/configs/a.yaml": "config.yaml", "~/data": "data", "~/bucket": "s3://b"},
}


def inputs(**changes):
    texts = {"task.yaml": yaml.safe_dump({**TASK, **changes}), "config.yaml": "lr: 0.1\n"}
    return Inputs({}, texts, {"WANDB_TAGS": "a"}, {"checkpoint": "runs/latest.pt", "log": "/var/log/x"})


def launched(tmp_path, environ=None, **changes):
    given = {"TOKEN": "hush"} if environ is None else environ
    return task_to_launch(inputs(**changes), A, tmp_path, tmp_path / "kept", given)


def test_the_job_carries_its_names(tmp_path):
    """By which it is found again, and what it leaves behind."""
    envs = launched(tmp_path)["envs"]
    assert json.loads(envs.pop("EXPIAC_OUTPUTS")) == {"checkpoint": "~/sky_workdir/runs/latest.pt", "log": "/var/log/x"}
    assert envs == {"MODE": "fast", "WANDB_TAGS": "a", "EXPIAC_LINEAGE": "lineage-a", "EXPIAC_LAUNCH": "2",
                    "EXPIAC_INSTANCE": "stack.job.0a1b2c3d", "EXPIAC_PRINT_METRICS": "1"}


def test_secrets_come_from_the_environment_and_go_their_own_way(tmp_path):
    """They stand in no file, and never among the envs."""
    task = launched(tmp_path)
    assert task["secrets"] == {"TOKEN": "hush"}
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and "hush" in file.read_text()]
    with pytest.raises(ExpiacError, match="A variable is not set"):
        launched(tmp_path, {})


def test_paths_are_absolute_and_texts_are_files(tmp_path):
    task = launched(tmp_path)
    assert task["workdir"] == str(tmp_path)
    assert task["file_mounts"] == {"~/sky_workdir/configs/a.yaml": str(tmp_path / "kept" / "config.yaml"),
                                   "~/data": str(tmp_path / "data"), "~/bucket": "s3://b"}
    assert (tmp_path / "kept" / "config.yaml").read_text() == "lr: 0.1\n"
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0


def test_a_check_needs_no_secret_and_writes_nothing(tmp_path):
    task = task_to_check(inputs(), tmp_path)
    assert (task["name"], task["secrets"]) == (A.instance, {"TOKEN": "-"})
    assert not list(tmp_path.iterdir())


def test_what_sky_would_refuse_is_refused_when_planning(tmp_path):
    pytest.importorskip("sky", reason="SkyPilot is not installed")
    from expiac.providers.skypilot import SkypilotProvider

    provider = SkypilotProvider(tmp_path)
    assert provider.examine(Inputs({}, {"task.yaml": "name: a\nrun: 'true'\n"})) == ""
    with pytest.raises(ExpiacError, match="SkyPilot refuses the task"):
        provider.examine(Inputs({}, {"task.yaml": "name: a\nrunn: 'true'\n"}))


def test_a_bucket_that_is_mounted_stays_as_it_is(tmp_path):
    """In SkyPilot's own words."""
    bucket = {"source": "s3://runs", "mode": "MOUNT"}
    assert launched(tmp_path, file_mounts={"/runs": bucket})["file_mounts"] == {"/runs": bucket}
    assert task_to_check(inputs(file_mounts={"/runs": bucket}), tmp_path)["file_mounts"] == {"/runs": bucket}
