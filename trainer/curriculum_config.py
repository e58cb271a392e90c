"""What is trained on and evaluated on: a base task, and how further tasks differ from it.

Imports neither torch nor an environment.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Self

from pydantic import model_validator

from trainer.declared import Declared, declared
from trainer.fields import Amount, Count
from trainer.task_config import BucketConfig, DrawConfig, DrawRule, TaskConfig
from trainer.tasks import Task, expand, settings_of, varied


@declared
class CurriculumConfig(TaskConfig):
    """The base task; and further tasks, if any, with how one is drawn for each episode."""

    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Named tasks, in order: what differs from the base."""
    buckets: dict[str, BucketConfig] = field(default_factory=dict)
    """Settings of which every combination of values is a task; with `tasks`, of each of them."""
    draw: DrawConfig = field(default_factory=DrawConfig)

    def expanded(self) -> tuple[Task, ...]:
        """Every task. Raises `ValueError` where one is not valid, or does not fit the others."""
        return expand(self, self.tasks, self.buckets)

    @model_validator(mode="after")
    def _tasks_are_valid(self) -> Self:
        names = {task.name for task in self.expanded()}
        if unknown := sorted(self.draw.weights.keys() - names):
            raise ValueError(f"draw.weights has {', '.join(unknown)}; the tasks are {', '.join(sorted(names))}")
        if self.draw.weights and self.draw.rule is not DrawRule.random:
            raise ValueError(f"draw.weights is for draw.rule random, and not for {self.draw.rule.value}")
        return self


@declared
class SimConfig(Declared):
    """The episodes that evaluate a policy: the same ones every time."""

    episodes: Count
    seed: Amount = 0
    suites: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Named tasks to evaluate in, each as what differs from the curriculum's base; the base if there are none."""

    def suites_of(self, base: TaskConfig) -> dict[str, CurriculumConfig]:
        """The task of each suite; the base, without a name, if there are none. Raises `ValueError`."""
        return {name: _only(base, given) for name, given in self.suites.items()} or {"": _only(base, {})}

    def refuse_unlike(self, trained: CurriculumConfig) -> None:
        """Raises `ValueError` for a suite that is not valid, or that a policy trained so can't observe."""
        seen = trained.expanded()[0].extremes()[0]
        for name, suite in self.suites_of(trained).items():
            if (suite.observe, suite.gymnasium_id) != (seen.observe, seen.gymnasium_id):
                raise ValueError(f"sim.suites.{name} is observed in another way than what is trained on")

    def figures_of(self, base: TaskConfig) -> tuple[str, ...]:
        """The names of an evaluation's figures: `eval/reward`, or with several suites `eval/<suite>/reward`."""
        suites = self.suites_of(base)
        prefixes = {name: f"eval/{name}" if len(suites) > 1 else "eval" for name in suites}
        return tuple(f"{prefixes[name]}/{figure}" for name, task in suites.items() for figure in task.figures)


def _only(base: TaskConfig, given: Mapping[str, Any]) -> CurriculumConfig:
    """A curriculum of one task."""
    return CurriculumConfig(**settings_of(varied(base, given)))
