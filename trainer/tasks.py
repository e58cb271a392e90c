"""From a curriculum's settings to its tasks: each is a name, and what differs from the base.

Arithmetic only: what is random is given, as numbers between 0 and 1.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise, product
from typing import Any

from pydantic import ValidationError

from trainer.task_config import BucketConfig, TaskConfig

LARGEST = 1_000  # tasks
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Task:
    """One task. A setting in `spans` has a value of its own in each episode, between the two ends."""

    name: str
    base: TaskConfig
    settings: Mapping[str, Any] = field(default_factory=dict)
    spans: Mapping[str, Span] = field(default_factory=dict)

    def config(self, draws: Sequence[float] = ()) -> TaskConfig:
        """The settings of an episode; `draws` has, for each span, a number from 0 to 1."""
        drawn = {
            name: _as_in(self.base, name, low + (high - low) * draw)
            for (name, (low, high)), draw in zip(self.spans.items(), draws, strict=True)
        }
        return varied(self.base, {**self.settings, **drawn})

    def extremes(self) -> list[TaskConfig]:
        """The settings at the ends of every span, in every combination."""
        return [self.config(ends) for ends in product((0.0, 1.0), repeat=len(self.spans))]


def settings_of(task: TaskConfig) -> dict[str, Any]:
    """The settings of a task by name, without those of a curriculum of which it is the base."""
    return {each.name: getattr(task, each.name) for each in fields(TaskConfig)}


def varied(base: TaskConfig, given: Mapping[str, Any]) -> TaskConfig:
    """`base` with some settings changed. Raises `ValueError` if the result is not valid."""
    try:
        return TaskConfig(**settings_of(base) | dict(given))
    except ValidationError as error:
        told = [": ".join([*map(str, one["loc"]), one["msg"].removeprefix("Value error, ")]) for one in error.errors()]
        raise ValueError("; ".join(told)) from error


def expand(
    base: TaskConfig, named: Mapping[str, Mapping[str, Any]], buckets: Mapping[str, BucketConfig]
) -> tuple[Task, ...]:
    """Every named task (the base if there are none) in every combination of the buckets.

    Raises `ValueError` if one is not valid, or not of the same environment and as many agents as the others.
    """
    tasks = [Task(name, base, dict(given)) for name, given in named.items()] or [Task("base", base)]
    for setting, bucket in buckets.items():
        _check_number(base, setting)
        tasks = [_with(task, setting, part) for task in tasks for part in _parts(bucket)]
        if len(tasks) > LARGEST:
            raise ValueError(f"more than {LARGEST} tasks; give fewer values or bins")
    _check_alike(tasks)
    return tuple(tasks)


def _parts(bucket: BucketConfig) -> Iterable[float | Span]:
    if bucket.range is None:
        return bucket.values
    low, high = bucket.range
    ends = [low + (high - low) * part / bucket.bins for part in range(bucket.bins + 1)]
    return list(pairwise(ends))


def _with(task: Task, setting: str, part: float | Span) -> Task:
    text = f"{part[0]:g}-{part[1]:g}" if isinstance(part, tuple) else f"{part:g}"
    name = f"{setting}={text}" if task.name == "base" else f"{task.name},{setting}={text}"
    if isinstance(part, tuple):
        return Task(name, task.base, task.settings, {**task.spans, setting: part})
    return Task(name, task.base, {**task.settings, setting: _as_in(task.base, setting, part)}, task.spans)


def _as_in(base: TaskConfig, setting: str, value: float) -> int | float:
    """A whole number where the setting is one."""
    return round(value) if isinstance(getattr(base, setting), int) else value


def _check_number(base: TaskConfig, setting: str) -> None:
    value = getattr(base, setting) if setting in {each.name for each in fields(TaskConfig)} else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"buckets: {setting} is no setting with a number")


def _check_alike(tasks: Sequence[Task]) -> None:
    kinds = set()
    for task in tasks:
        try:
            extremes = task.extremes()
        except ValueError as error:
            raise ValueError(f"task {task.name}: {error}") from error
        kinds |= {(each.total_agents, each.observe, each.gymnasium_id) for each in extremes}
    if len(kinds) > 1:
        raise ValueError("the tasks of a curriculum have as many agents, and are observed in the same way")
