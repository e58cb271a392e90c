"""What says where a job runs has a form, and what has another one is refused where it is declared."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from expiac import ExpiacError, Job, SkypilotJobConfig, Stack, TrainingRunConfig
from expiac.declare.overrides import build


@pytest.mark.parametrize("given", [
    {"gpus": "lots"}, {"gpus": "all"}, {"cpus": "many"}, {"cpus": 0}, {"memory": "big"}, {"memory": "0+"},
    {"disk": 0}, {"ports": [0]}, {"ports": ["10-5"]}, {"ports": [65536]}, {"ports": ["http"]},
    {"envs": {"A B": "1"}}, {"envs": {"A": "a\0b"}}, {"secrets": ["A-B"]}, {"infra": ""}, {"region": "us east"},
    {"image": ""}, {"max_runtime": "soon"},
])
def test_what_no_backend_can_carry_out_is_no_placement(given):
    with pytest.raises(ValidationError, match=next(iter(given))):
        SkypilotJobConfig(**given)


@pytest.mark.parametrize("given", [
    {"gpus": 4}, {"gpus": "4"}, {"gpus": "H100"}, {"gpus": "A100-80GB:8"}, {"gpus": "titan:2"}, {"gpus": "tpu-v5e-8"},
    {"cpus": "4+"}, {"cpus": 2}, {"memory": "16+"}, {"memory": "512MB"}, {"memory": 16}, {"disk": 1},
    {"ports": [8080, "10020-10040"]}, {"envs": {"_a1": ""}}, {"infra": "k8s/my-context"}, {"image": "docker:a/b:1"},
])
def test_what_some_backend_can_carry_out_is_one(given):
    name, value = next(iter(given.items()))
    assert getattr(SkypilotJobConfig(**given), name) == value


@pytest.mark.parametrize("given", [
    {"wandb_tags": [""]}, {"wandb_tags": ["a" * 65]}, {"wandb_project": "a/b"}, {"wandb_project": "a" * 129},
])
def test_what_wandb_takes_no_run_with_is_refused(given):
    with pytest.raises(ValidationError, match=next(iter(given))):
        TrainingRunConfig(**given)
    assert TrainingRunConfig(wandb_tags=["a" * 64], wandb_project="${oc.env:TEAM}-x").wandb_tags == ["a" * 64]


def test_a_wrong_part_of_a_list_is_named():
    """And not the list, which is one."""
    with pytest.raises(ExpiacError) as raised:
        build(SkypilotJobConfig, {"ports": "[8080,99999]", "gpus": "lots"})
    ports, gpus = raised.value.detail.splitlines()
    assert ports.startswith("ports.1=99999: a port is from 1 to 65535")
    assert gpus.startswith("gpus=lots: gpus is a count such as 4")


def test_a_stack_has_a_name_that_leaves_room_for_its_jobs():
    assert Stack("s" * 117, [Job("a", run="true")]).name
    with pytest.raises(ExpiacError, match="Name too long"):
        Stack("s" * 118, [])
