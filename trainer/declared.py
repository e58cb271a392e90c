"""What makes a class a config class: validated values that remember which of their fields were named.

A declaration names only what it cares about; the rest is left to `configs/`. So `OptimizerConfig(learning_rate=1e-3)`
must stay distinguishable from one that spells out every default. Knows nothing of what is configured.
"""

from collections.abc import Mapping
from typing import Any, Self, TypeVar, dataclass_transform

import pydantic.dataclasses
from dataclasses_json import DataClassJsonMixin, Undefined, config
from pydantic import ConfigDict, ModelWrapValidatorHandler, model_validator
from pydantic_core import ArgsKwargs

NAMED = "_named"
RULES = ConfigDict(extra="forbid", validate_assignment=True)
T = TypeVar("T")


@pydantic.dataclasses.dataclass(config=RULES)
class Declared(DataClassJsonMixin):
    """The base of every config class. Equality, `repr` and serialisation see the values only."""

    dataclass_json_config = config(undefined=Undefined.RAISE)["dataclasses_json"]

    @property
    def fields_set(self) -> frozenset[str]:
        """The fields named by whoever wrote this value, at construction or by assignment, here or further down."""
        below = {name for name, part in vars(self).items() if isinstance(part, Declared) and part.fields_set}
        return frozenset(vars(self).get(NAMED, frozenset()) | below)

    def config_groups(self) -> dict[str, str]:
        """The Hydra groups that this value selects: `{"optimizer@trainer.optimizer": "muon"}`."""
        return {}

    @classmethod
    def from_dict(cls, kvs: Any, *, infer_missing: bool = False) -> Self:
        """Decode `to_dict`'s form; only the keys that are there count as named."""
        value = super().from_dict(kvs, infer_missing=infer_missing)
        _record_named(value, kvs)
        return value

    @model_validator(mode="wrap")
    @classmethod
    def _record(cls, given: Any, build: ModelWrapValidatorHandler[Self]) -> Self:
        value = build(given)
        match given:
            case ArgsKwargs():
                vars(value)[NAMED] = frozenset(given.kwargs or ())
            case Mapping():
                vars(value)[NAMED] = frozenset(given)
        return value


@dataclass_transform(kw_only_default=True)
def declared(cls: type[T]) -> type[T]:
    """Decorate a subclass of `Declared`: keyword-only, unknown fields refused, values checked also on assignment."""
    config_class: Any = pydantic.dataclasses.dataclass(cls, config=RULES, kw_only=True)
    set_checked = config_class.__setattr__

    def assign(self: Any, name: str, value: Any) -> None:
        before = dict(vars(self))
        vars(self)[NAMED] = before.get(NAMED, frozenset()) | {name}
        try:
            set_checked(self, name, value)
        except ValueError:
            vars(self).update(before)  # pydantic has already stored what its later checks refuse
            raise

    config_class.__setattr__ = assign
    return config_class  # type: ignore[no-any-return]


def are_named(value: Declared, *fields: str) -> bool:
    """Whether a rule over these fields can be checked: what is not named, `configs/` may still say.

    Every field of a composed config is named.
    """
    named: frozenset[str] = vars(value).get(NAMED, frozenset())
    return named.issuperset(fields)


def _record_named(value: Declared, given: Mapping[str, Any]) -> None:
    vars(value)[NAMED] = frozenset(given)
    for name, part in given.items():
        if isinstance(nested := getattr(value, name), Declared) and isinstance(part, Mapping):
            _record_named(nested, part)
