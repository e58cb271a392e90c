"""A base for typed configs: every subclass is a pydantic dataclass and a dataclasses-json value, decorated or not.

Validation, bounds and "extra keys are refused" come from pydantic; `to_dict`, `to_json` and `from_dict` from
dataclasses-json.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from typing import Any, dataclass_transform

from dataclasses_json import DataClassJsonMixin, Undefined
from dataclasses_json import config as json_config
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as pydantic_dataclass

SETTINGS = ConfigDict(extra="forbid", validate_assignment=True, arbitrary_types_allowed=True)


@dataclass_transform(kw_only_default=True)
class Config(DataClassJsonMixin):
    """A typed config: `class MyConfig(Config): gpus: int = 1` is all there is to write."""

    dataclass_json_config = json_config(undefined=Undefined.RAISE)["dataclasses_json"]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # In place: an undecorated subclass would otherwise keep its base's fields only.
        pydantic_dataclass(cls, kw_only=True, config=SETTINGS)


def is_config(value: Any) -> bool:
    """Whether the value is an instance of some dataclass: ours, or a trainer's own."""
    return hasattr(type(value), "__dataclass_fields__")


def named_fields(value: Any) -> dict[str, Any]:
    """What the author of a config dataclass named, nested; the rest is left to the files under `configs/`.

    A class that keeps no account of it (`fields_set`) is taken at its word: every field counts as named.
    """
    known = getattr(value, "fields_set", None)
    given: dict[str, Any] = {}
    kind: Any = type(value)
    for name in _fields(kind):
        part = getattr(value, name)
        if is_config(part):
            if inner := named_fields(part):
                given[name] = inner
        elif known is None or name in known:
            given[name] = part
    return given


def config_groups(value: Any) -> Iterator[tuple[str, str]]:
    """The Hydra groups that a config dataclass and its parts select, as (group, option)."""
    if select := getattr(value, "config_groups", None):
        yield from select().items()
    kind: Any = type(value)
    for name in _fields(kind):
        part = getattr(value, name)
        if is_config(part):
            yield from config_groups(part)


@cache
def _fields(cls: Any) -> tuple[str, ...]:
    """The names of a dataclass's fields: asked for often, and slow to give."""
    return tuple(field.name for field in dataclasses.fields(cls))
