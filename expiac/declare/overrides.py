"""`key=value` words into a typed config. Knows paths and fields; nothing of stacks or command lines.

`literals` makes a value of each text, with pydantic. No library puts the values in place: OmegaConf and pydantic would
build the config again, and lose which fields its author named, and the defaults that a stack file gives to parts.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_type_hints

from pydantic import ValidationError

from expiac.declare.config import is_config
from expiac.declare.literals import parse_value
from expiac.declare.validation import config_error
from expiac.util.errors import ExpiacError, UsageError, did_you_mean

C = TypeVar("C")


def parse(words: Sequence[str]) -> dict[str, str]:
    """The overrides as key → text; the last of one key counts."""
    overrides: dict[str, str] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            hint = f"{word}=…" if key.isidentifier() else "gpus=4"
            raise UsageError("Not an override", f"{word!r} is not of the form key=value", hint)
        overrides[key.strip()] = text
    return overrides


def build(config_class: type[C], overrides: Mapping[str, str]) -> C:
    """A config of the class with these overrides; every mistake is named at once."""
    texts_by_parent: dict[str, dict[str, str]] = defaultdict(dict)
    for key, text in overrides.items():
        parent, _, name = key.rpartition(".")
        texts_by_parent[parent][name] = text
    problems: list[str] = []
    config = _create(config_class, texts_by_parent.pop("", {}), problems)
    classes = {parent: type(_part_at(config, parent)) for parent in texts_by_parent}
    values_by_parent = {
        parent: _parse_values(classes[parent], texts, parent, problems) for parent, texts in texts_by_parent.items()
    }
    _raise_for(problems)
    for parent, values in values_by_parent.items():
        _assign(config, parent, values)
    return config


def _create(config_class: type[C], texts: Mapping[str, str], problems: list[str]) -> C:
    values = _parse_values(config_class, texts, "", problems)
    try:
        return config_class(**values)
    except ValidationError as error:
        _raise_for(problems)
        if error.title != config_class.__name__:
            raise  # a mistake in one of the class's defaults: its author sees pydantic's own error
        raise config_error(error, config_class) from error


def _raise_for(problems: Sequence[str]) -> None:
    if problems:
        raise ExpiacError("Invalid value", "\n".join(problems))


def _part_at(config: Any, path: str) -> Any:
    """The config dataclass at the dotted path."""
    part, path_so_far = config, ""
    for name in path.split("."):
        _check_field(type(part), name, path_so_far)
        part, path_so_far = getattr(part, name), _join(path_so_far, name)
        if not is_config(part):
            raise UsageError("Unknown key", f"{path_so_far} holds {part!r}, which has no keys of its own",
                             f"set {path_so_far} in the stack file, or {path_so_far}=… as a whole")
    return part


def _parse_values(cls: type, texts: Mapping[str, str], parent: str, problems: list[str]) -> dict[str, Any]:
    """The texts as values of the fields' types; a text that its type does not accept is added to the problems."""
    for name in texts:
        _check_field(cls, name, parent)
    types = get_type_hints(cls, include_extras=True)
    values = {}
    for name, text in texts.items():
        try:
            values[name] = parse_value(types[name], text)
        except ValidationError as error:
            problems += _problems(error, _join(parent, name), text)
    return values


def _problems(error: ValidationError, path: str, text: str) -> list[str]:
    """One line for each thing that pydantic says of one text."""
    lines = []
    for problem in error.errors():
        place = ".".join([path, *map(str, problem["loc"])])
        lines.append(f"{place}={text}: {problem['msg']}")
    return lines


def _assign(config: Any, parent: str, values: Mapping[str, Any]) -> None:
    """Sets all values of one part together, so that two that must agree can change together.

    A frozen part is replaced by one with these values.
    """
    target = _part_at(config, parent) if parent else config
    if type(target).__dataclass_params__.frozen:
        _replace_frozen(config, parent, target, values)
        return
    before = dict(vars(target))
    vars(target).update(values)
    try:
        for name, value in values.items():
            setattr(target, name, value)
    except ValidationError as error:
        vars(target).clear()
        vars(target).update(before)
        raise config_error(error, type(target), parent) from error


def _replace_frozen(config: Any, parent: str, target: Any, values: Mapping[str, Any]) -> None:
    try:
        changed = dataclasses.replace(target, **values)
    except ValidationError as error:
        raise config_error(error, type(target), parent) from error
    above, _, name = parent.rpartition(".")
    _assign(config, above, {name: changed})


def _check_field(cls: Any, name: str, parent: str) -> None:
    """Raises `UsageError` if the class has no field of the name."""
    fields = [field.name for field in dataclasses.fields(cls)]
    if name not in fields:
        path = _join(parent, name)
        raise UsageError("Unknown key", f"{path} is no field of {cls.__name__}",
                         did_you_mean(path, [_join(parent, field) for field in fields]))


def _join(parent: str, name: str) -> str:
    return f"{parent}.{name}" if parent else name
