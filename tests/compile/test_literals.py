"""`@instance@` in what a user declares reaches the job as it is; placeholders of expiac and the project are filled."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from expiac import Job, SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig
from expiac.apply.launch import inputs as launch_inputs
from expiac.compile.prepare import desired
from expiac.declare.project import Project, find_project
from expiac.providers.base import Inputs
from expiac.review.renderings import reviewed_files
from expiac.state.events import Run

NAME = "lab.a.0a1b2c3d"
BOTH = "@instance@ in @data_dir@"


def project(folder: Path, text: str = "") -> Project:
    (folder / "pyproject.toml").write_text(f"[tool.expiac]\n{text}")
    return find_project(folder)


def launched(job: Job | TrainingJob, where: Project) -> Inputs:
    """What the provider is given when the job is launched under the name."""
    (want,) = desired(Stack("lab", [job]), where)
    return launch_inputs(want, Run(NAME, "0" * 32, 1, 1), stack="lab", lineage="0" * 32, outputs=lambda _: None)


def task(inputs: Inputs) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(inputs.texts["task.yaml"])
    return found


def test_what_a_job_declares_stays(tmp_path):
    """Its command, its setup, its variables, its mounts, its labels and its outputs; the task has the run's name."""
    (tmp_path / "@instance@").touch()
    place = SkypilotJobConfig(envs={"A": BOTH}, setup=f"echo {BOTH}", file_mounts={"~/@instance@": "@instance@"},
                              labels={"@instance@": BOTH}, data_dir="/@data_dir@")
    given = launched(Job("a", run=f"echo {BOTH}", skypilot=place, tags=(BOTH,),
                         outputs={"all": "$DATA_DIR/$EXPIAC_INSTANCE/@instance@/@data_dir@"}), project(tmp_path))
    document = task(given)
    assert document["name"] == NAME
    assert (document["run"], document["setup"]) == (f"echo {BOTH}", f"echo {BOTH}")
    assert document["envs"] == {"DATA_DIR": "/@data_dir@", "A": BOTH}
    assert document["file_mounts"] == {"~/@instance@": "@instance@"}
    assert document["resources"]["labels"] == {"@instance@": BOTH}
    assert given.env["WANDB_TAGS"] == BOTH
    assert given.outputs == {"all": f"/@data_dir@/{NAME}/@instance@/@data_dir@"}


@pytest.mark.parametrize(("format", "read"), [
    ("hydra", yaml.safe_load), ("yaml", yaml.safe_load), ("json", json.loads)])
def test_a_training_config_stays(tmp_path, format, read):
    """The project's command is told the name of the run."""
    where = project(tmp_path, f'run = "train @instance@"\n[tool.expiac.training]\nformat = "{format}"\n')
    given = launched(TrainingJob("a", training=TrainingRunConfig(trainer={"name": BOTH})), where)
    (config,) = [text for name, text in given.texts.items() if name.startswith("config.")]
    assert read(config)["name"] == BOTH
    assert task(given)["run"] == f"train {NAME}"


def test_an_argument_stays(tmp_path):
    where = project(tmp_path, 'run = "train @instance@"\n[tool.expiac.training]\nformat = "args"\n')
    given = launched(TrainingJob("a", training=TrainingRunConfig(trainer={"name": BOTH})), where)
    assert shlex.split(task(given)["run"]) == ["train", NAME, f"--name={BOTH}"]


def test_a_composed_config_stays(tmp_path):
    """It is compared as it was declared; an output that is made of it is too."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "config.yaml").write_text("folder: none\nrun_name: none\n")
    where = project(tmp_path, 'run = "train +experiments=@instance@ run_name=@instance@"\n'
                              '[tool.expiac.outputs]\nall = "${oc.env:DATA_DIR}/${run_name}/${folder}"\n')
    job = TrainingJob("a", training=TrainingRunConfig(trainer={"folder": BOTH}))
    (want,) = desired(Stack("lab", [job]), where)
    assert want.inputs["config"] == {"folder": BOTH, "run_name": "@instance@"}
    assert launched(job, where).outputs == {"all": f"train_dir/{NAME}/{BOTH}"}
    assert BOTH in reviewed_files(want, where, "lab")["config.yaml"]
    assert "literal" not in "".join(reviewed_files(want, where, "lab").values())
