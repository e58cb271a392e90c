"""A `Sweep`: one job for each of many settings, declared, shown, stopped and compared as one thing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Any, Literal

from expiac.declare.budget import SweepLimits
from expiac.declare.component import SEPARATOR, Component, at_address, with_members
from expiac.declare.options import Options
from expiac.declare.overrides import full_path, with_values
from expiac.declare.resource import Resource
from expiac.declare.search import Search
from expiac.declare.trials import Trial, Trials, trials_of
from expiac.util.errors import ExpiacError

Goal = Literal["maximize", "minimize"]
GOALS: tuple[Goal, ...] = ("maximize", "minimize")


@dataclasses.dataclass(frozen=True, init=False)
class Sweep(Component):
    """A component with a job for each trial: `job` with the trial's values in the place of its own.

    A key is the path of a setting in the job, `training.trainer.optimizer.learning_rate`, or its last names where only
    one setting has them. Trials are called after their values, `learning_rate_0_0003`: values that are added launch
    only what is new, and values that are removed stop only what had them.
    """

    trials: tuple[Trial, ...] = ()
    template: Resource | None = None
    """Of a search, the job without the values of a trial, at an address of its own in the component."""
    objectives: Mapping[str, Goal] = dataclasses.field(default_factory=dict)
    """Metric → goal: what its trials are ranked by, the first one first. Empty where the sweep does not say."""
    search: Search | None = None
    """What proposes its trials; None where all of them are declared."""
    max_failures: int | None = None
    """How many of its trials may fail before `apply --wait` begins no further one; None where nothing bounds that."""
    budget: float | None = None
    """Dollars that all its trials may cost together; that of the search, where it is one."""
    gpu_hours: float | None = None
    """Hours of a GPU that all its trials may use together; those of the search, where it is one."""

    def __init__(self, name: str, job: Resource, over: Trials | Search, *, seeds: int | None = None,
                 metric: str | Mapping[str, Goal] = "", goal: Goal = "maximize", max_failures: int | None = None,
                 budget: float | None = None, gpu_hours: float | None = None,
                 options: Options | None = None, depends_on: Iterable[str] = (),
                 outputs: Mapping[str, str] | None = None) -> None:
        """`seeds=3` makes three jobs of each trial. `metric` and `goal` say which trial is best.

        `budget`, in dollars, and `gpu_hours` are what all its trials may use together: nothing more is launched, and
        what runs is stopped, once they have used it.

        A search over several metrics names the goal of each: `metric={"score": "maximize", "cost": "minimize"}`.
        """
        objectives = _objectives(name, job, metric, goal)
        search = over if isinstance(over, Search) else None
        if search is not None:
            _refuse_search(name, search, objectives, seeds)
        _check_max_failures(name, max_failures, search)
        limits = _limits(name, budget, gpu_hours, search)
        trials = trials_of(over, seeds) if not isinstance(over, Search) else ()
        jobs = jobs_of(job, trials) if search is None else [job]
        super().__init__(name, jobs, options=options, depends_on=depends_on, outputs=outputs)
        for field, value in (("trials", trials), ("objectives", objectives), ("search", search),
                             ("max_failures", max_failures), ("budget", limits.budget),
                             ("gpu_hours", limits.gpu_hours)):
            object.__setattr__(self, field, value)
        if search is not None:
            object.__setattr__(self, "template", self.resources[0])
            object.__setattr__(self, "resources", ())

    @property
    def metric(self) -> str:
        """The first metric that its trials are ranked by; empty where the sweep does not say."""
        return next(iter(self.objectives), "")

    @property
    def goal(self) -> Goal:
        """Whether a large value of that is good or a small one."""
        return next(iter(self.objectives.values()), "maximize")

    def with_trials(self, trials: Sequence[Trial]) -> tuple[Resource, ...]:
        """The jobs of trials that a search has proposed, at their addresses."""
        assert self.template is not None, "only a search has a template"
        address = f"{self.name}{SEPARATOR}"
        named = [dataclasses.replace(trial, name=f"{address}{trial.name}") for trial in trials]
        return tuple(map(self._renamed, jobs_of(self.template, named)))

    def _renamed(self, job: Resource) -> Resource:
        """The job of a trial with the names that it had where the search had another one."""
        assert self.template is not None, "only a search has a template"
        own, name = self.template.name.rpartition(SEPARATOR)[2], job.name.rpartition(SEPARATOR)[2]
        aliases = tuple(f"{alias.removesuffix(own)}{name}" if alias.endswith(f"{SEPARATOR}{own}") else alias
                        for alias in job.options.aliases)
        return dataclasses.replace(job, options=dataclasses.replace(job.options, aliases=aliases))

    def having(self, trials: tuple[Trial, ...]) -> Sweep:
        """The search, with the trials that there are."""
        other = at_address(self, self.name)
        object.__setattr__(other, "trials", trials)
        return other

    def with_members(self, members: Mapping[str, Sequence[str]]) -> Sweep:
        return self.with_template(lambda job: with_members(job, members)) if self.template is not None else self

    def with_template(self, change: Callable[[Resource], Resource]) -> Sweep:
        """The search with what `change` makes of the job that its trials are made of."""
        other = at_address(self, self.name)
        object.__setattr__(other, "template", change(self.template) if self.template is not None else None)
        return other


    @classmethod
    def of_trials(cls, name: str, jobs: Sequence[tuple[Trial, Sequence[Resource]]]) -> Sweep:
        """A sweep whose trials have the given resources: a trial is the only one of them, or a component of several."""
        sweep = object.__new__(cls)
        Component.__init__(sweep, name, [_as_trial(trial, resources) for trial, resources in jobs])
        object.__setattr__(sweep, "trials", tuple(trial for trial, _ in jobs))
        object.__setattr__(sweep, "objectives", {})
        return sweep

    @property
    def keys(self) -> tuple[str, ...]:
        """The settings that it varies."""
        if self.search is not None:
            return tuple(self.search.space)
        return tuple(dict.fromkeys(key for trial in self.trials for key in trial.values))


def jobs_of(job: Resource, trials: Iterable[Trial]) -> list[Resource]:
    """The jobs of trials, by their names in the sweep."""
    find = cache(partial(full_path, job))
    return [_job_of(job, trial, find) for trial in trials]


def _job_of(job: Resource, trial: Trial, find: Callable[[str], str]) -> Resource:
    try:
        return dataclasses.replace(with_values(job, trial.values, find), name=trial.name)
    except ExpiacError as error:
        raise ExpiacError(error.summary, f"trial {trial.name}: {error.detail}", error.hint, code=error.code) from error


def _as_trial(trial: Trial, resources: Sequence[Resource]) -> Resource | Component:
    if len(resources) == 1:
        return dataclasses.replace(resources[0], name=trial.name)
    return Component(trial.name, resources)


def _objectives(name: str, job: Any, metric: Any, goal: Any) -> dict[str, Goal]:
    """The goal of each metric. Raises `ExpiacError` for what is none."""
    if not isinstance(job, Resource):
        raise ExpiacError("Invalid sweep", f"sweep {name} goes over settings of a job, not of {type(job).__name__}",
                          f'Sweep("{name}", TrainingJob("train", …), over={{…}})')
    given = dict(metric) if isinstance(metric, Mapping) else {metric: goal} if metric else {}
    for one, wanted in [*given.items(), ("", goal)]:
        if wanted not in GOALS:
            raise ExpiacError("Invalid sweep", f"sweep {name}: goal={wanted!r}", "maximize or minimize")
        if not isinstance(one, str):
            raise ExpiacError("Invalid sweep", f"sweep {name}: metric={one!r} is no name of a metric", 'metric="loss"')
    return given


def _refuse_search(name: str, search: Search, objectives: Mapping[str, Goal], seeds: int | None) -> None:
    """Raises `ExpiacError` where a search has no metric, a pruner for several, or seeds."""
    if search.pruner is not None and len(objectives) > 1:
        raise ExpiacError("Invalid sweep", f"search {name}: no pruner goes by several metrics",
                          f"pruner=None, or metric={next(iter(objectives))!r} alone")
    if not objectives:
        raise ExpiacError("Invalid sweep", f"search {name} goes by a metric of its trials, and names none",
                          f'Sweep("{name}", job, Search(…), metric="eval/hearts")')
    if seeds is not None:
        raise ExpiacError("Invalid sweep", f"search {name}: seeds={seeds}, but each of its trials is one job",
                          '"training.seed" in the space of the search, or Random(20, {…}) with seeds')


def _check_max_failures(name: str, most: int | None, search: Search | None) -> None:
    if most is not None and search is not None:
        raise ExpiacError("Invalid sweep", f"sweep {name}: a search bounds its failures itself",
                          f"Search(…, max_failures={most})")
    if most is not None and most < 0:
        raise ExpiacError("Invalid sweep", f"sweep {name}: max_failures={most}", "max_failures=0 or more")


def _limits(name: str, budget: float | None, gpu_hours: float | None, search: Search | None) -> SweepLimits:
    """What the trials may use; a search says it itself. Raises pydantic's `ValidationError` for what is no limit."""
    if search is None:
        return SweepLimits(budget=budget, gpu_hours=gpu_hours)
    for key, value in (("budget", budget), ("gpu_hours", gpu_hours)):
        if value is not None:
            raise ExpiacError("Invalid sweep", f"sweep {name}: a search has a {key} of its own",
                              f"Search(…, {key}={value:g})")
    return search
