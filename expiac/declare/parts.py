"""The parts of a config: configs, mappings and lists, each at a dotted path.

Knows their fields and the types of these; sets nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from expiac.declare.config import field_names, is_config
from expiac.declare.fields import type_hints
from expiac.declare.reads import peek

_DEEPEST = 5
"""Parts in parts in which a field is looked for: a class may hold another of itself."""


@dataclass(frozen=True, slots=True)
class Part:
    """A config, a mapping or a list, which has keys of its own."""

    value: Any
    declared: Any = Any
    """Its type, as the field that holds it says."""

    @property
    def owner(self) -> str:
        """What has the keys, in an error."""
        return type(self.value).__name__ if is_config(self.value) else f"this {self.noun}"

    @property
    def noun(self) -> str:
        """What it is, in a word."""
        if is_config(self.value):
            return "config"
        return "mapping" if isinstance(self.value, Mapping) else "list"

    @property
    def names(self) -> tuple[str, ...]:
        """Its fields, its keys, or the indices of its items."""
        if is_config(self.value):
            made_of: Any = type(self.value)
            return field_names(made_of)
        if isinstance(self.value, Mapping):
            return tuple(key for key in self.value if isinstance(key, str))
        return tuple(str(index) for index in range(len(self.value)))

    @property
    def is_open(self) -> bool:
        """Whether it takes keys that it does not have: a mapping whose type says of which type its values are."""
        return isinstance(self.value, Mapping) and self._declared_item("") is not Any

    def item(self, name: str) -> Any:
        """The value of a field, a key or an index."""
        if is_config(self.value):
            return peek(self.value, name)
        return self.value[name] if isinstance(self.value, Mapping) else self.value[int(name)]

    def types(self, name: str) -> tuple[Any, ...]:
        """The types that a text for this name may be of; the first that accepts it counts."""
        if is_config(self.value):
            return (type_hints(type(self.value))[name],)
        declared = self._declared_item(name)
        kept = self.item(name) if name in self.names else None
        if kept is None:
            return (declared,)
        kind = type(kept)
        if declared is Any:
            return (int, float, NoneType) if kind is int else (kind, NoneType)
        return (kind, declared) if isinstance(self.value, Mapping) else (declared,)

    def part(self, name: str) -> Part | None:
        """The part at one of its names; None where that is a value without keys."""
        value = self.item(name)
        return Part(value, self._declared_item(name)) if is_part(value) else None

    def _declared_item(self, name: str) -> Any:
        if is_config(self.value):
            return type_hints(type(self.value)).get(name, Any)
        shape = Mapping if isinstance(self.value, Mapping) else Sequence
        return next(_item_types(self.declared, shape, name), Any)


def is_part(value: Any) -> bool:
    """Whether a value has keys of its own."""
    return is_config(value) or isinstance(value, Mapping | list | tuple)


def paths_to(part: Any, name: str) -> Iterator[str]:
    """The paths of all fields and keys of a name in the parts of a config; items of lists have no name."""
    return (path for path in paths(part) if path.endswith(f".{name}"))


def paths(part: Any, path: str = "", *, through_lists: bool = False) -> Iterator[str]:
    """The paths of all fields and keys of a config and of its parts."""
    whole = Part(part)
    for name in whole.names:
        inner, place = whole.item(name), join(path, name)
        if whole.noun != "list":
            yield place
        if is_part(inner) and (through_lists or not isinstance(inner, list | tuple)):
            yield from paths(inner, place, through_lists=through_lists)


def class_paths(kind: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    """The paths of the fields that a config class and the classes of its parts have."""
    if depth == _DEEPEST:
        return
    for name, declared in type_hints(kind).items():
        yield join(path, name)
        for arm in arms(declared):
            if is_config_class(arm):
                yield from class_paths(arm, join(path, name), depth + 1)


def arms(declared: Any) -> Iterator[Any]:
    """The types that a declared type is made of: itself, or those of a union, without what is annotated."""
    if get_origin(declared) is Annotated:
        yield from arms(get_args(declared)[0])
    elif get_origin(declared) in (Union, UnionType):
        for arm in get_args(declared):
            yield from arms(arm)
    else:
        yield declared


def item_type(declared: Any, name: str) -> Any:
    """What a declared type says of its field, key or index of this name; Any where it says nothing."""
    for arm in arms(declared):
        if is_config_class(arm):
            return type_hints(arm).get(name, Any)
        for found in chain(_item_types(arm, Mapping, name), _item_types(arm, Sequence, name)):
            return found
    return Any


def is_config_class(kind: Any) -> bool:
    """Whether the instances of a class are configs."""
    return isinstance(kind, type) and any(
        hasattr(kind, name) for name in ("__dataclass_fields__", "model_fields", "__attrs_attrs__"))


def _item_types(declared: Any, shape: type, name: str) -> Iterator[Any]:
    """What a declared type says of the items of a mapping or a sequence."""
    for arm in arms(declared):
        origin = get_origin(arm)
        if not isinstance(origin, type) or not issubclass(origin, shape):
            continue
        args = get_args(arm)
        if shape is Mapping:
            yield args[1]
        elif origin is tuple and args[-1] is not Ellipsis:
            yield from args[int(name):int(name) + 1] if name.isdigit() else ()
        else:
            yield args[0]


def join(parent: str, name: str) -> str:
    """The path of a name in a part."""
    return f"{parent}.{name}" if parent else name
