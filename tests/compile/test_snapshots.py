"""What the shipped stacks render to, as files for human eyes: task, config and composed config of every job, in
`tests/snapshots`. And the tasks of jobs in other places."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from expiac import Job, SkypilotJobConfig, Stack
from expiac.compile.prepare import desired


class Yaml(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "yaml"


def test_rendered(expiac_each_stack, expiac_snapshot):
    """A change here is a change of what runs: `expiac review` shows it."""
    assert expiac_each_stack.renderings == expiac_snapshot


PLACES = {
    "slurm": {"infra": "slurm/lab/long", "gpus": "H100:8", "nodes": 2, "memory": "64+", "max_runtime": "12h",
              "data_dir": "/shared/runs", "secrets": ["WANDB_API_KEY"]},
    "aws": {"infra": "aws/us-east-1", "gpus": 4, "spot": True, "disk": 512, "image": "docker:nvidia/cuda:12.4.1-base",
            "ports": [8080], "labels": {"team": "rl"}, "priority": 500, "max_restarts": 3,
            "recover_on_exit_codes": [33], "file_mounts": {"/ckpt": {"source": "s3://runs", "mode": "MOUNT"}}},
    "k8s": {"infra": "k8s/lab", "gpus": "A100", "cpus": "4+", "envs": {"NCCL_DEBUG": "INFO"}, "setup": "pip list"},
    "anywhere": {"infra": "skypilot", "gpus": 1, "any_of": [{"infra": "aws", "use_spot": True}, {"infra": "gcp"}]},
    "cluster": {"infra": "slurm/lab", "gpus": 0, "managed": False, "autostop": 10, "workdir": None},
}
CHECK = "import sys, yaml, sky; sky.Task.from_yaml_config(yaml.safe_load(sys.stdin.read()))"


@pytest.mark.parametrize("name", PLACES)
def test_placed(name, project, snapshot, tmp_path):
    """Every field of a place, in the task that is sent; SkyPilot itself reads each."""
    job = Job("train", run="python -m trainer", skypilot=SkypilotJobConfig(**PLACES[name]))
    (want,) = desired(Stack("places", [job]), project)
    text = want.texts["task.yaml"]
    assert text == snapshot(extension_class=Yaml)
    env = {**os.environ, "HOME": str(tmp_path), "SKYPILOT_DISABLE_USAGE_COLLECTION": "1"}
    task = text.replace("@instance@", "places.train.0a1b2c3d").replace("WANDB_API_KEY:", "WANDB_API_KEY: x")
    # A bucket is looked up in its cloud, where no test goes.
    read = subprocess.run([sys.executable, "-c", CHECK], input=task.replace("s3://runs", "."), env=env, text=True,
                          capture_output=True, cwd=project.root, timeout=120)
    assert read.returncode == 0, read.stderr
