"""Experiments: config classes, names, and equality of what they declare."""

from __future__ import annotations

import dataclasses

import pytest
from pydantic import ValidationError

from expiac import (
    Experiment,
    ExperimentConfig,
    Options,
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


# ------------------------------------------------------------------------------------------------------------ seeds

def test_without_seeds_nothing_is_renamed():
    """Nor does a job get a seed that it had not."""
    config = SweepConfig(jobs=[(None, None), ("small", None)])
    assert Sweep(config).stack() == Sweep(dataclasses.replace(config, seeds=None)).stack()
    assert [(job.name, job.training.seed) for job in Sweep(config).stack().resources] == [
        ("job_0", None), ("small", None)]


def test_seeds_make_several_jobs_of_each():
    """Named by their seeds, so that more of them rename none."""
    three, two = (Sweep(SweepConfig(jobs=[(None, None), ("small", None)], seeds=seeds)).stack() for seeds in (3, 2))
    assert [(job.name, job.training.seed) for job in two.resources] == [
        ("job_0_seed_0", 0), ("job_0_seed_1", 1), ("small_seed_0", 0), ("small_seed_1", 1)]
    assert all(job in three.resources for job in two.resources)


def test_seeds_count_up_from_the_jobs_own():
    config = SingleJobExperimentConfig(name="one", training=TrainingRunConfig(seed=10), seeds=2)
    assert [(job.name, job.training.seed) for job in SingleJobExperiment(config).stack().resources] == [
        ("train_seed_10", 10), ("train_seed_11", 11)]


def test_two_jobs_of_a_seed_share_no_alias():
    config = SingleJobExperimentConfig(name="one", options=Options(aliases=("ppo",)), seeds=2)
    assert [job.options.aliases for job in SingleJobExperiment(config).stack().resources] == [
        ("ppo_seed_0",), ("ppo_seed_1",)]


def test_a_field_of_this_name_that_a_class_has_already_is_its_own():
    """Such as a list over which its experiment loops itself."""

    class Own(SweepConfig):
        seeds: list[int] = dataclasses.field(default_factory=lambda: [3, 4])  # type: ignore[assignment]

    assert [job.name for job in Sweep(Own(jobs=[(None, None)])).stack().resources] == ["train"]


def test_no_seeds_are_refused():
    with pytest.raises(ValidationError):
        SweepConfig(seeds=0)


def test_the_seeds_of_the_original_ab_program(here):
    """An override makes five jobs of each arm, which differ in nothing but the seed and the name."""
    jobs = load(here, "lr_ab_test", ["seeds=5"]).stack.resources
    assert len(jobs) == 10
    assert jobs[3] == dataclasses.replace(jobs[0], name="job_0_seed_3",
                                          training=dataclasses.replace(jobs[0].training, seed=3))
