"""The environments that the trainer knows, behind one interface: mettagrid, and what Gymnasium has.

Each is imported where it is asked for, in a module of its own.
"""

from collections.abc import Sequence

from trainer.envs.spec import Arrays, Environment, EnvironmentSpec
from trainer.task_config import TaskConfig, TaskKind

__all__ = ["Arrays", "Environment", "EnvironmentSpec", "make", "spec_of"]


def spec_of(tasks: Sequence[TaskConfig], seen: Sequence[TaskConfig]) -> EnvironmentSpec:
    """The spec of an environment in which each of `tasks` can be, observed as those that are trained on, `seen`.

    Raises `TrainerError` if there is none.
    """
    if tasks[0].kind is TaskKind.gymnasium:
        from trainer.envs import gym

        return gym.spec_of(tasks)
    from trainer.envs import grid

    return grid.spec_of(tasks, seen)


def make(tasks: Sequence[TaskConfig], seen: Sequence[TaskConfig], arrays: Arrays, slots: int) -> Environment:
    """An environment of `slots` episodes of `tasks`, none of which has begun, observed as `seen`. Works on `arrays`."""
    if tasks[0].kind is TaskKind.gymnasium:
        from trainer.envs import gym

        return gym.Gym(tasks, arrays, slots)
    from trainer.envs import grid

    return grid.Grid(tasks, seen, arrays, slots)
