"""Experiments: classes that declare training jobs from a typed config, and become a Stack.

Knows neither command line nor backend; `runner` makes a stack file run by itself.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from expiac.declare.config import Config
from expiac.declare.job import Job, SkypilotJobConfig
from expiac.declare.options import Options
from expiac.declare.resource import Ref, Resource
from expiac.declare.stack import Stack
from expiac.declare.training import ConfiguredJob, TrainingJob, TrainingRunConfig

ONLY_JOB = "train"


class ExperimentConfig(Config):
    """What every experiment can be told; a subclass adds its own fields, with or without defaults."""

    name: str
    """The stack's name."""
    user: str | None = None
    """Whose experiment it is."""
    launch: bool = False
    """Where the stack file runs by itself: apply without asking."""
    previous_job_ids: list[str] | None = None
    """Jobs launched by other means, which its jobs adopt in this order where they have no run yet."""
    infra: str | None = None
    """Where its jobs run that do not say: `local`, `aws`, `k8s/ctx`, `slurm/name`, …"""
    budget: Annotated[float | None, Field(gt=0)] = None
    """Dollars that all its jobs may cost at most; a plan above it is refused."""
    seeds: Annotated[int | None, Field(ge=1)] = None
    """How many times each of its jobs is trained, each time with another seed: five jobs in place of one where it is 5.
    Each takes the name of its job and its seed, `job_0_seed_3`; the seeds count up from the job's own, or from 0."""
    max_running: Annotated[int | None, Field(ge=1)] = None
    """How many of its jobs may be live at once; further ones wait until one has ended."""
    data_dir: str | None = None
    """Where its jobs leave what they make that do not say: a folder that outlives their machines."""
    git_check: bool | None = None
    """Refuse to launch those of its jobs that do not say from a tree that is not committed and pushed; None is the
    project's choice."""

    @property
    def instance_name(self) -> str:
        """What the experiment is called among those of others: `user.name`. Its runs are named at plan time."""
        return f"{self.user}.{self.name}" if self.user else self.name


class TrainingJobConfig(Config):
    """One training job of an experiment: where it runs, and what it computes."""

    skypilot: SkypilotJobConfig = dataclasses.field(default_factory=SkypilotJobConfig)
    training: TrainingRunConfig = dataclasses.field(default_factory=TrainingRunConfig)
    options: Options = dataclasses.field(default_factory=Options)
    """How expiac is to treat it: protect, retain, aliases, …"""
    job_name: str | None = None
    """Its name in the stack; `job_0`, `job_1`, … where it has none, and `train` where it is the only one."""


class SingleJobExperimentConfig(ExperimentConfig, TrainingJobConfig):
    """An experiment of one job: the experiment's fields and the job's together."""


class Experiment(ABC):
    """A declaration of training jobs. The same config gives an equal Stack."""

    config: Any
    """Its config; a subclass may say of which class."""

    def __init__(self, config: ExperimentConfig) -> None:
        self.config = config

    @abstractmethod
    def training_job_configs(self) -> list[TrainingJobConfig]:
        """The jobs, in the order in which they should be shown."""

    def outputs(self, jobs: Sequence[TrainingJob]) -> Mapping[str, Ref]:
        """What other stacks may use of it, by name: `{"best": jobs[0].output("checkpoint")}`."""
        return {}

    def stack(self) -> Stack:
        """The jobs as a stack of the experiment's name."""
        configs = self.training_job_configs()
        names = [ONLY_JOB] if len(configs) == 1 else [f"job_{index}" for index in range(len(configs))]
        jobs = [TrainingJob(job.job_name or name, skypilot=job.skypilot, training=job.training, options=job.options)
                for name, job in zip(names, configs, strict=True)]
        if not _has_seeds_of_its_own(type(self.config)) and (seeds := self.config.seeds) is not None:
            jobs = [_with_seed(job, index) for job in jobs for index in range(seeds)]
        return with_experiment_settings(Stack(self.config.name, jobs, outputs=self.outputs(jobs)), self.config)


def _has_seeds_of_its_own(config: type) -> bool:
    """Whether a config class has a field `seeds` that means what its author says, and not what it means here."""
    return any("seeds" in vars(cls).get("__annotations__", {}) for cls in config.__mro__ if cls is not ExperimentConfig)


def _with_seed(job: TrainingJob, index: int) -> TrainingJob:
    """The job with another seed than its own, and that in its name and in the names that it had before."""
    seed = (job.training.seed or 0) + index
    aliases = tuple(f"{alias}_seed_{seed}" for alias in job.options.aliases)
    return dataclasses.replace(
        job, name=f"{job.name}_seed_{seed}", training=dataclasses.replace(job.training, seed=seed),
        options=dataclasses.replace(job.options, aliases=aliases))


class SingleJobExperiment(Experiment):
    """An experiment of the one job that its config describes."""

    config: SingleJobExperimentConfig

    def training_job_configs(self) -> list[TrainingJobConfig]:
        """The one job."""
        config = self.config
        return [TrainingJobConfig(skypilot=config.skypilot, training=config.training, options=config.options,
                                  job_name=config.job_name)]


def with_experiment_settings(stack: Stack, config: ExperimentConfig) -> Stack:
    """The stack with what the config of its experiment says of all its jobs, wherever the stack itself does not say.

    Reads a field only where it has an effect: of one that has none, a plan can say so.
    """
    configured = stack.with_resources(lambda resource: _with_job_settings(resource, config))
    budget = stack.budget if stack.budget is not None else config.budget
    previous = stack.previous_job_ids or tuple(config.previous_job_ids or ())
    bound = stack.max_running if stack.max_running is not None else config.max_running
    own = stack.budget, stack.max_running, stack.previous_job_ids
    if (budget, bound, previous) == own:
        return configured
    return configured.with_limits(budget=budget, max_running=bound, previous_job_ids=previous)


def _with_job_settings(resource: Resource, config: ExperimentConfig) -> Resource:
    if not isinstance(resource, Job | ConfiguredJob):
        return resource
    place = resource.skypilot
    wanted: dict[str, Any] = {name: value for name in ("infra", "data_dir", "git_check")
                              if getattr(place, name) is None and (value := getattr(config, name)) is not None}
    return dataclasses.replace(resource, skypilot=dataclasses.replace(place, **wanted)) if wanted else resource
