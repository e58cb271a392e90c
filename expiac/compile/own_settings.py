"""What a training job sets itself, to be shown in a plan: its config without what the project or a class says. Pure.

What is compared and recorded is the composed config, which has every value that a run will read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from expiac.declare.config import config_data, is_config
from expiac.declare.training_settings import Default, TrainingSettings


def own_settings(config: Mapping[str, Any], trainer: Any, settings: TrainingSettings,
                 project: TrainingSettings) -> dict[str, Any]:
    """The part of a job's config that differs from the project's values and, without Hydra, from its class's defaults.

    `settings` are those of the job, `project` the project's. The Hydra groups that the job chooses stand by their
    package: `agent: fast`, `curriculum: env/arena/small`.
    """
    if settings.format == "hydra":
        values = {key: value for key, value in config.items() if key != "defaults"}
        return {**_groups(config["defaults"], project.defaults), **_without(values, project.values)}
    kind: Any = type(trainer)
    defaults = _class_defaults(kind) if is_config(trainer) else {}
    return _without(config, _merge(project.values, _under(settings.key, defaults)))


def _groups(entries: Sequence[Default], common: Sequence[Default]) -> dict[str, Any]:
    """The entries of a defaults list that are not the project's."""
    chosen: dict[str, Any] = {}
    for entry in entries:
        if entry == "_self_" or entry in common:
            continue
        if isinstance(entry, str):
            chosen[entry] = None
            continue
        group, option = next(iter(entry.items()))
        name, at, package = group.removeprefix("/").partition("@")
        chosen[package if at else name] = f"{name}/{option}" if at and option is not None else option
    return chosen


def _without(values: Mapping[str, Any], common: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not the same in `common`, level by level."""
    left = {}
    for key, value in values.items():
        other = common.get(key, _NOTHING)
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            if inner := _without(value, other):
                left[key] = inner
        elif type(value) is not type(other) or value != other:
            left[key] = value
    return left


_NOTHING = object()


def _under(key: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    for part in reversed(key.split(".") if key else ()):
        values = {part: values}
    return values


def _merge(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Both, the first where they differ: the project's values stand in place of the class's defaults."""
    merged = {**others, **values}
    for key in values.keys() & others.keys():
        if isinstance(values[key], Mapping) and isinstance(others[key], Mapping):
            merged[key] = _merge(values[key], others[key])
    return merged


@cache
def _class_defaults(kind: Any) -> Mapping[str, Any]:
    """The values of a config class of which nothing is said; none if it has fields without a default."""
    try:
        return config_data(kind(), named_only=False)
    except (TypeError, ValueError):
        return {}
