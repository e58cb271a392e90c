"""A base for typed configs: every subclass is a pydantic dataclass and a dataclasses-json value, decorated or not.

Validation, bounds and "extra keys are refused" come from pydantic; `to_dict`, `to_json` and `from_dict` from
dataclasses-json.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any, dataclass_transform

from dataclasses_json import DataClassJsonMixin, Undefined
from dataclasses_json import config as json_config
from pydantic import BaseModel, ConfigDict
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import to_jsonable_python

from expiac.declare.field_docs import WithFieldDocs
from expiac.declare.resource import map_texts

_PLAIN = frozenset((bool, int, float, str, type(None)))
"""Most values are of these types, and none of them is a config."""
SETTINGS = ConfigDict(extra="forbid", validate_assignment=True, arbitrary_types_allowed=True)


@dataclass_transform(kw_only_default=True)
class Config(DataClassJsonMixin, metaclass=WithFieldDocs):
    """A typed config: `class MyConfig(Config): gpus: int = 1` is all there is to write."""

    dataclass_json_config = json_config(undefined=Undefined.RAISE)["dataclasses_json"]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # In place: an undecorated subclass would otherwise keep its base's fields only.
        pydantic_dataclass(cls, kw_only=True, config=SETTINGS)


def is_config(value: Any) -> bool:
    """Whether the value is an instance of a config class: some dataclass, a pydantic model or an attrs class."""
    kind: Any = type(value)
    return _is_config_class(kind)


@cache
def _form_of(kind: Any) -> Any:
    """What a config is read as: a mapping, a pydantic model, or, None, its fields one by one."""
    return next((form for form in (Mapping, BaseModel) if issubclass(kind, form)), None)


@cache
def _is_config_class(kind: Any) -> bool:
    return hasattr(kind, "__dataclass_fields__") or issubclass(kind, BaseModel) or hasattr(kind, "__attrs_attrs__")


def config_data(value: Any, *, named_only: bool) -> dict[str, Any]:
    """A config as JSON-like data: of all its fields, or of those only that its author named.

    A config is an instance of a config class, a mapping, or None for an empty one.
    """
    data = named_fields(value, named_only=named_only) if value is not None else {}
    return dict(to_jsonable_python(data, fallback=_attrs_data))


class ConfigReader:
    """Reads configs as data. One that is read again, as the jobs of a stack often share one, is taken as it was."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[Any, Any]] = {}
        """What was read of a value, by what that is; with the value itself, so that no other gets its id."""

    def data(self, value: Any, *, named_only: bool) -> dict[str, Any]:
        """As `config_data`, not to be changed."""
        read = partial(config_data, named_only=named_only)
        found: dict[str, Any] = self._once("named" if named_only else "all", value, read)
        return found

    def values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values of every config, as JSON has them: a list for a tuple."""
        found: dict[str, Any] = self._once("values", values, lambda given: map_texts(copy.deepcopy(dict(given)), str))
        return found

    def groups(self, value: Any) -> tuple[tuple[str, str], ...]:
        """As `config_groups`."""
        found: tuple[tuple[str, str], ...] = self._once("groups", value, lambda given: tuple(config_groups(given)))
        return found

    def _once(self, what: str, value: Any, read: Callable[[Any], Any]) -> Any:
        key = what, id(value)
        if (known := self._known.get(key)) is None:
            known = self._known[key] = value, read(value)
        return known[1]


def named_fields(value: Any, *, named_only: bool = True) -> dict[str, Any]:
    """What the author of a config named, nested; the rest is left to the files under `configs/`.

    A class that keeps no account of it (`fields_set`, or pydantic's own) is taken at its word: every field counts as
    named.
    """
    kind: Any = type(value)
    form = _form_of(kind)
    if form is Mapping:
        return {str(key): named_fields(part, named_only=named_only) if is_config(part) else part
                for key, part in value.items()}
    if form is BaseModel:
        model: BaseModel = value
        return model.model_dump(mode="json", exclude_unset=named_only)
    known = getattr(value, "fields_set", None) if named_only else None
    given: dict[str, Any] = {}
    for name in field_names(kind):
        part = getattr(value, name)
        if type(part) not in _PLAIN and is_config(part):
            if inner := named_fields(part, named_only=named_only):
                given[name] = inner
        elif known is None or name in known:
            given[name] = part
    return given


def config_groups(value: Any) -> Iterator[tuple[str, str]]:
    """The Hydra groups that a config and its parts select, as (group, option)."""
    if select := getattr(value, "config_groups", None):
        yield from select().items()
    kind: Any = type(value)
    for name in field_names(kind):
        part = getattr(value, name)
        if type(part) not in _PLAIN and is_config(part):
            yield from config_groups(part)


def _attrs_data(value: Any) -> Any:
    """What pydantic does not know: an attrs value in a list or a mapping."""
    if hasattr(type(value), "__attrs_attrs__"):
        return named_fields(value)
    raise TypeError(f"a config can't hold {value!r}")


@cache
def field_names(cls: Any) -> tuple[str, ...]:
    """The names of a config class's fields: asked for often, and slow to give."""
    if hasattr(cls, "__dataclass_fields__"):
        return tuple(field.name for field in dataclasses.fields(cls))
    if hasattr(cls, "__attrs_attrs__"):
        return tuple(field.name for field in cls.__attrs_attrs__)
    return tuple(getattr(cls, "model_fields", ()))
