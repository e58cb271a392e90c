"""Experiments: config classes, names, and equality of what they declare."""

from __future__ import annotations

import dataclasses

import pytest
from pydantic import ValidationError

from expiac import (
    Experiment,
    ExperimentConfig,
    SingleJobExperiment,
    SingleJobExperimentConfig,
    SkypilotJobConfig,
    Stack,
    TrainingJob,
    TrainingJobConfig,
    TrainingRunConfig,
)
from expiac.declare.fields import Kind
from expiac.declare.program import load
from trainer.config import OptimizerConfig, SimulationConfig, TorchProfilerConfig, TrainerConfig


class Sweep(Experiment):
    def training_job_configs(self) -> list[TrainingJobConfig]:
        names = self.config.jobs
        return [TrainingJobConfig(job_name=name, skypilot=SkypilotJobConfig(infra=infra)) for name, infra in names]


class SweepConfig(ExperimentConfig):
    name: str = "sweep"
    jobs: list[tuple[str | None, str | None]] = dataclasses.field(default_factory=list)


def names(*jobs: tuple[str | None, str | None], **more: str) -> list[str]:
    return [resource.name for resource in Sweep(SweepConfig(jobs=list(jobs), **more)).stack().resources]


def test_the_original_ab_program(here):
    """The two jobs differ in their learning rate and their tags, and in nothing else."""
    a, b = load(here, "lr_ab_test").stack.resources
    assert load(here, "lr_ab_test").stack == load(here, "lr_ab_test").stack == Stack("lr_ab_test", [
        TrainingJob(
            name,
            skypilot=SkypilotJobConfig(gpus=1, nodes=1, spot=True, git_check=True),
            training=TrainingRunConfig(
                curriculum="env/mettagrid/curriculum/arena/basic",
                trainer=TrainerConfig(
                    num_workers=4,
                    optimizer=OptimizerConfig(learning_rate=lr),
                    simulation=SimulationConfig(replay_dir="${run_dir}/replays"),
                    profiler=TorchProfilerConfig(profile_dir="${run_dir}/torch_traces"),
                ),
                wandb_tags=["ab_test", f"lr_{lr}"],
            ),
        )
        for name, lr in (("job_0", 0.0001), ("job_1", 0.0005))
    ])
    assert a != b
    assert (a.inputs()["tags"], a.kinds()["tags"]) == (["ab_test", "lr_0.0001"], Kind.ANNOTATION)


def test_overrides_reach_every_job(here):
    """The experiment's own fields go where its program puts them."""
    jobs = load(here, "lr_ab_test", ["gpus=4", "nodes=2", "spot=false"]).stack.resources
    assert {(job.skypilot.gpus, job.skypilot.nodes, job.skypilot.spot) for job in jobs} == {(4, 2, False)}


def test_jobs_are_named_by_their_place():
    """`job_0`, `job_1`, …; the only one is `train`; a name of its own is kept."""
    assert names((None, None)) == ["train"]
    assert names((None, None), (None, None)) == ["job_0", "job_1"]
    assert names(("small", None), (None, None)) == ["small", "job_1"]


def test_the_experiments_backend_is_a_default():
    """A job that says where it runs is believed; the others follow the experiment."""
    jobs = Sweep(SweepConfig(jobs=[(None, "aws"), (None, None)], infra="slurm/loop")).stack().resources
    assert [job.skypilot.infra for job in jobs] == ["aws", "slurm/loop"]


def test_an_undecorated_subclass_is_a_config_class():
    """Defaults, overriding and a diamond of bases work as in any dataclass; unknown keys are refused."""

    class Left(ExperimentConfig):
        name: str = "diamond"
        left: int = 1

    class Right(ExperimentConfig):
        right: int = 2

    class Both(Left, Right):
        left: int = 3

    assert dataclasses.asdict(Both()) | {"name": "diamond", "left": 3, "right": 2} == dataclasses.asdict(Both())
    assert Both.from_dict(Both(right=5).to_dict()) == Both(right=5)
    with pytest.raises(ValidationError):
        Both(middle=1)


def test_a_single_job_experiment_is_its_config(here):
    """The experiment's and the job's fields stand side by side."""

    class OneConfig(SingleJobExperimentConfig):
        name: str = "one"

    stack = SingleJobExperiment(OneConfig(skypilot=SkypilotJobConfig(gpus=2), job_name="ppo")).stack()
    assert stack == Stack("one", [TrainingJob("ppo", skypilot=SkypilotJobConfig(gpus=2))])
    (job,) = load(here, "arena").stack.resources
    assert (job.name, job.skypilot.spot, job.training.curriculum) == (
        "train", False, "env/mettagrid/curriculum/arena/small")


def test_a_warm_start_refers_to_what_it_starts_from(here):
    """The second run needs the first one's checkpoint, and so stands behind it."""
    base, tuned = load(here, "warm_start").stack.resources
    assert tuned.refs() == (base.output("checkpoint"),)


def test_the_name_among_others():
    """The user's name stands before the experiment's, where there is one."""
    assert SweepConfig(user="ada").instance_name == "ada.sweep"
    assert SweepConfig().instance_name == "sweep"
