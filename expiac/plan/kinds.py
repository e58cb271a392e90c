"""Takes inputs apart by the kinds of their fields, those inside a training config included. Pure.

`kinds` names a field of the inputs (`gpus`), or a key path in the training config (`config.wandb.group`), which stands
for everything below it too. The longest path counts, and what has no kind is identity.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from expiac.declare.fields import Kind
from expiac.plan.model import MISSING

CONFIG = "config"
"""The input that holds a training config. Its key paths stand alone in a plan, as its author knows them."""
Kinds = Mapping[str, Kind]
_BELOW = f"{CONFIG}."


def kind_of(kinds: Kinds, key: str, path: str) -> Kind:
    """The kind of the field `path` (`gpus`, `trainer.seed`) in the input `key`."""
    if key == CONFIG:
        parts = path.split(".")
        for length in range(len(parts), 0, -1):
            if (kind := kinds.get(_BELOW + ".".join(parts[:length]))) is not None:
                return kind
    return kinds.get(key, Kind.IDENTITY)


def identity_part(inputs: Mapping[str, Any], kinds: Kinds) -> dict[str, Any]:
    """What decides a result."""
    return combine(inputs, {}, kinds, taken=frozenset(Kind) - {Kind.IDENTITY})


def combine(base: Mapping[str, Any], other: Mapping[str, Any], kinds: Kinds, *, taken: Collection[Kind]
            ) -> dict[str, Any]:
    """The inputs `base`, with those of `other` in place of the fields of the kinds `taken`."""
    combined: dict[str, Any] = {}
    for key in dict.fromkeys((*base, *other)):
        source = other if kinds.get(key, Kind.IDENTITY) in taken else base
        if key in source:
            combined[key] = source[key]
    for path, kind in _paths_in_config(kinds):
        keys = (CONFIG, *path.split("."))
        _put(combined, keys, _at(other if kind in taken else base, keys))
    return combined


def _paths_in_config(kinds: Kinds) -> Iterator[tuple[str, Kind]]:
    """Key paths of the config that have a kind of their own: a path before those below it."""
    return iter(sorted((key.removeprefix(_BELOW), kind) for key, kind in kinds.items() if key.startswith(_BELOW)))


def _at(values: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        if not isinstance(values, Mapping) or key not in values:
            return MISSING
        values = values[key]
    return values


def _put(values: dict[str, Any], keys: tuple[str, ...], value: Any) -> None:
    """Puts a value at a key path, or takes it away; the mappings that it changes are copies."""
    for key in keys[:-1]:
        inner = values.get(key, MISSING)
        if not isinstance(inner, Mapping):
            if value is MISSING or inner is not MISSING:
                return
            inner = {}
        values[key] = dict(inner)
        values = values[key]
    if value is MISSING:
        values.pop(keys[-1], None)
    else:
        values[keys[-1]] = value
