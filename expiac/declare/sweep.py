"""A `Sweep`: one job for each of many settings, declared, shown, stopped and compared as one thing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from expiac.declare.component import Component
from expiac.declare.options import Options
from expiac.declare.overrides import with_values
from expiac.declare.resource import Resource
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
    metric: str = ""
    """What its trials are ranked by; empty where the sweep does not say."""
    goal: Goal = "maximize"
    max_failures: int | None = None
    """How many of its trials may fail before `apply --wait` begins no further one; None where nothing bounds that."""

    def __init__(self, name: str, job: Resource, over: Trials, *, seeds: int | None = None, metric: str = "",
                 goal: Goal = "maximize", max_failures: int | None = None, options: Options | None = None,
                 depends_on: Iterable[str] = (), outputs: Mapping[str, str] | None = None) -> None:
        """`seeds=3` makes three jobs of each trial. `metric` and `goal` say which trial is best."""
        _check(name, job, metric, goal)
        if max_failures is not None and max_failures < 0:
            raise ExpiacError("Invalid sweep", f"sweep {name}: max_failures={max_failures}", "max_failures=0 or more")
        trials = trials_of(over, seeds)
        super().__init__(name, [job_of(job, trial) for trial in trials], options=options, depends_on=depends_on,
                         outputs=outputs)
        object.__setattr__(self, "trials", trials)
        object.__setattr__(self, "metric", metric)
        object.__setattr__(self, "goal", goal)
        object.__setattr__(self, "max_failures", max_failures)


    @classmethod
    def of_trials(cls, name: str, jobs: Sequence[tuple[Trial, Sequence[Resource]]]) -> Sweep:
        """A sweep whose trials have the given resources: a trial is the only one of them, or a component of several."""
        sweep = object.__new__(cls)
        Component.__init__(sweep, name, [_as_trial(trial, resources) for trial, resources in jobs])
        object.__setattr__(sweep, "trials", tuple(trial for trial, _ in jobs))
        return sweep

    @property
    def keys(self) -> tuple[str, ...]:
        """The settings that it varies."""
        return tuple(dict.fromkeys(key for trial in self.trials for key in trial.values))


def job_of(job: Resource, trial: Trial) -> Resource:
    """The job of a trial, by its name in the sweep."""
    try:
        return dataclasses.replace(with_values(job, trial.values), name=trial.name)
    except ExpiacError as error:
        raise ExpiacError(error.summary, f"trial {trial.name}: {error.detail}", error.hint, code=error.code) from error


def _as_trial(trial: Trial, resources: Sequence[Resource]) -> Resource | Component:
    if len(resources) == 1:
        return dataclasses.replace(resources[0], name=trial.name)
    return Component(trial.name, resources)


def _check(name: str, job: Any, metric: str, goal: str) -> None:
    if not isinstance(job, Resource):
        raise ExpiacError("Invalid sweep", f"sweep {name} goes over settings of a job, not of {type(job).__name__}",
                          f'Sweep("{name}", TrainingJob("train", …), over={{…}})')
    if goal not in GOALS:
        raise ExpiacError("Invalid sweep", f"sweep {name}: goal={goal!r}", "maximize or minimize")
    if not isinstance(metric, str):
        raise ExpiacError("Invalid sweep", f"sweep {name}: metric={metric!r} is no name of a metric", 'metric="loss"')
