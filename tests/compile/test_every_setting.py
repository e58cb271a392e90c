"""Each setting of the shipped stacks has an effect: to change any field of their configs changes what is planned."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from expiac.compile.prepare import desired
from expiac.declare.config import field_names, is_config
from expiac.declare.program import load
from expiac.declare.project import Project, find_project
from expiac.util.errors import ExpiacError

ROOT = Path(__file__).parents[2]
NO_EFFECT = {
    "user": "names the experiment for code of your own: a run is named by its stack",
    "launch": "is for a stack file that is run by itself: expiac apply asks, or takes --yes",
}
NO_EFFECT_IN = {
    ("warm_start", "seeds"): "repeats the jobs of an Experiment: this program makes its jobs itself, and says so",
    ("evaluated", "seeds"): "likewise",
}
REFUSED = {
    "training.key": "the schema knows one place of the trainer's config",
    "training.format": "the trainer reads its config through Hydra",
    "training.sim": "configs/sim has one file: there is no other",
    "training.trainer.async_rollouts": "it needs V-trace, and V-trace has no clips",
    "training.trainer.lr_scheduler.min_lr_ratio": "a constant learning rate ends where it begins",
    "training.trainer.vtrace.rho_clip": "V-trace has two clips: a c_clip is missing",
    "training.trainer.vtrace.c_clip": "likewise a rho_clip",
    "training.trainer.prioritized_experience_replay.prio_beta0": "without a prio_alpha there is no bias to correct",
    "training.trainer.kickstart.action_loss_coef": "there is no teacher",
    "training.trainer.kickstart.kickstart_steps": "likewise",
    "training.trainer.profiler.interval_epochs": "the traces have no place: a profile_dir is missing",
}
ARENA = "env/mettagrid/curriculum/arena"
OTHER = {
    "name": "other", "user": "me", "budget": "5", "max_running": "2", "previous_job_ids": "[12]",
    "data_dir": "/shared", "infra": "aws",
    "git_check": "true", "job_name": "other", "gpus": "2", "cpus": "4", "memory": "16", "region": "us-east-1",
    "image": "docker:ubuntu", "disk": "100", "envs": '{"A": "b"}', "file_mounts": '{"/x": "README.md"}',
    "workdir": "trainer", "run": "true", "setup": "true", "any_of": '[{"infra": "aws"}]', "ports": "[80]",
    "secrets": '["TOKEN"]', "max_runtime": "1h", "recover_on_exit_codes": "[3]", "priority": "3",
    "labels": '{"a": "b"}', "curriculum": f"{ARENA}/basic", "agent": "wide", "sim": "other", "wandb": "off",
    "wandb_entity": "e", "wandb_project": "p", "wandb_group": "g", "wandb_tags": '["t"]', "wandb_notes": "n",
    "seed": "3", "defaults": '{"agent": "wide"}', "key": "other", "format": "yaml", "timeout": "10m",
    "before_create": "true", "after_create": "true", "before_delete": "true", "after_delete": "true", "notify": "true",
    "ignore_changes": '["gpus"]', "replace_on_changes": '["gpus"]', "aliases": '["earlier"]', "betas": "[0.5, 0.6]",
    "target_kl": "0.1", "uri": "policy.pt", "teacher_uri": "teacher.pt", "kickstart_steps": "1000",
    "rho_clip": "1.5", "c_clip": "0.5", "checkpoint_dir": "c", "replay_dir": "r", "profile_dir": "p",
    "best_metric": "eval/hearts", "keep_last": "3", "keep_every": "200000",
    "minibatch_size": "1024", "seeds": "2", "expect": '{"loss": "< 1"}', "max_idle": "30m",
}
"""By the field's name: a value that no shipped stack has. A flag is turned, a number doubled."""


def settings(config: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each field of a config and of its parts, as the key and the value of an override."""
    for name in field_names(type(config)):
        value, key = getattr(config, name), f"{path}{name}"
        if is_config(value) and not isinstance(value, Enum):
            yield from settings(value, f"{key}.")
        else:
            yield key, another(value) if isinstance(value, bool) else OTHER.get(name) or another(value)


def another(value: Any) -> str:
    match value:
        case bool():
            return str(not value).lower()
        case Enum():
            return str(next(member.value for member in type(value) if member is not value))
        case int() | float():
            return str(value * 2 or 1) if value * 2 <= 1 or isinstance(value, int) else str(value / 2)
    raise AssertionError(f"OTHER needs a value in place of {value!r}")


def project() -> Project:
    return find_project(ROOT)


STACKS = sorted(path.stem for path in (ROOT / "stacks").glob("[!_.]*.py"))
CASES = [(stack, *setting) for stack in STACKS for setting in settings(load(project(), stack).config)]


def planned(where: Project, stack: str, *overrides: str) -> Any:
    """All that a plan is made from."""
    declared = load(where, stack, overrides).stack
    return declared.name, declared.budget, declared.max_running, declared.previous_job_ids, desired(declared, where)


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return dataclasses.replace(project(), state=str(tmp_path_factory.mktemp("state")))


@pytest.mark.parametrize(("stack", "key", "text"), CASES, ids=[f"{stack}-{key}" for stack, key, _ in CASES])
def test_each_setting_has_an_effect(where, stack, key, text):
    """Or is in one of two short lists, with the reason."""
    if key in REFUSED:
        with pytest.raises(ExpiacError):
            planned(where, stack, f"{key}={text}")
        return
    has_effect = key not in NO_EFFECT and (stack, key) not in NO_EFFECT_IN
    assert (planned(where, stack, f"{key}={text}") != planned(where, stack)) is has_effect
    assert load(where, stack, [f"{key}={text}"]).unread == (() if has_effect else (key,))


def test_the_lists_name_real_fields():
    """A field that is gone leaves no reason behind."""
    assert {*NO_EFFECT, *REFUSED} <= {key for _, key, _ in CASES}
    assert NO_EFFECT_IN.keys() <= {(stack, key) for stack, key, _ in CASES}
