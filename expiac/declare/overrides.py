"""`key=value` words into a typed config. Knows types and paths; nothing of stacks or command lines.

A value is text. Pydantic makes of it what the field's type says (`4`, `false`, `1e-3`); where the type leaves it open
(`int | str`) or text does not fit, it is read as YAML would (`null`, `[a, b]`, `{a: 1}`).
"""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from expiac.declare.config import is_config
from expiac.declare.validation import invalid
from expiac.util.errors import ExpiacError, UsageError, did_you_mean

C = TypeVar("C")


def parse(words: Sequence[str]) -> dict[str, str]:
    """The overrides as key → text; the last of one key counts."""
    given: dict[str, str] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise UsageError("Not an override", f"{word!r} is not of the form key=value",
                             f"{word}=…" if key.isidentifier() else "gpus=4")
        given[key.strip()] = text
    return given


def build(config_class: type[C], given: Mapping[str, str]) -> C:
    """A config of the class with these overrides; every mistake is named at once."""
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    for key, text in given.items():
        parent, _, name = key.rpartition(".")
        groups[parent][name] = text
    problems: list[str] = []
    config = _made(config_class, groups.pop("", {}), problems)
    targets = {parent: _at(config, parent) for parent in groups}
    settings = {parent: _values(type(targets[parent]), texts, parent, problems) for parent, texts in groups.items()}
    _refuse(problems)
    for parent, values in settings.items():
        _assign(config, parent, values)
    return config


def _made(config_class: type[C], texts: Mapping[str, str], problems: list[str]) -> C:
    values = _values(config_class, texts, "", problems)
    try:
        return config_class(**values)
    except ValidationError as error:
        _refuse(problems)
        if error.title != config_class.__name__:
            raise  # a mistake inside one of its defaults, which its author is told of
        raise invalid(error, config_class) from error


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise ExpiacError("Invalid value", "\n".join(problems))


def _at(config: Any, path: str) -> Any:
    """The config dataclass at the dotted path."""
    walked: list[str] = []
    for name in path.split("."):
        _known(type(config), name, ".".join(walked))
        config = getattr(config, name)
        walked.append(name)
        if not is_config(config):
            here = ".".join(walked)
            raise UsageError("Unknown key", f"{here} holds {config!r}, which has no keys of its own",
                             f"set {here} in the stack file, or {here}=… as a whole")
    return config


def _assign(config: Any, parent: str, values: Mapping[str, Any]) -> None:
    """The values of one object are put in place together, so that two that must agree can change together.

    A frozen object gives way to one with these values.
    """
    target = _at(config, parent) if parent else config
    if type(target).__dataclass_params__.frozen:
        try:
            changed = dataclasses.replace(target, **values)
        except ValidationError as error:
            raise invalid(error, type(target), parent) from error
        above, _, name = parent.rpartition(".")
        _assign(config, above, {name: changed})
        return
    before = dict(vars(target))
    vars(target).update(values)
    try:
        for name, value in values.items():
            setattr(target, name, value)
    except ValidationError as error:
        vars(target).clear()
        vars(target).update(before)
        raise invalid(error, type(target), parent) from error


def _values(cls: type, texts: Mapping[str, str], parent: str, problems: list[str]) -> dict[str, Any]:
    """The texts as values of the fields' types; what cannot be one is added to the problems."""
    for name in texts:
        _known(cls, name, parent)
    hints = get_type_hints(cls, include_extras=True)
    values = {}
    for name, text in texts.items():
        try:
            values[name] = _value(TypeAdapter(hints[name]), text)
        except ValidationError as error:
            path = _joined(parent, name)
            problems += [f"{'.'.join([path, *map(str, one['loc'])])}={text}: {one['msg']}" for one in error.errors()]
    return values


def _known(cls: type, name: str, parent: str) -> None:
    if name not in (known := _fields(cls)):
        path = _joined(parent, name)
        raise UsageError("Unknown key", f"{path} is no field of {cls.__name__}",
                         did_you_mean(path, [_joined(parent, one) for one in known]))


def _fields(cls: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(cls)]


def _joined(parent: str, name: str) -> str:
    return f"{parent}.{name}" if parent else name


def _value(field: TypeAdapter[Any], text: str) -> Any:
    """The first reading that the type accepts; its own words about the plain text where it accepts none."""
    try:
        value = field.validate_python(text)
    except ValidationError:
        for reading in _readings(text):
            try:
                return field.validate_python(reading)
            except ValidationError:
                continue
        raise
    return _more_exact(field, text) if value == text and isinstance(value, str) else value


def _more_exact(field: TypeAdapter[Any], text: str) -> Any:
    """A type that takes text and more, such as `int | str`: `4` is a number where it may be one."""
    for reading in _readings(text):
        try:
            value = field.validate_python(reading)
        except ValidationError:
            continue
        if type(value) is type(reading):
            return value
    return text


def _readings(text: str) -> Iterator[Any]:
    """What the text may stand for besides itself."""
    if text[:1] in ("[", "{"):
        yield from _yaml(text)
        return
    try:
        yield json.loads(text)  # not YAML: to that `off`, `1e3` and `12:30` are traps
    except ValueError:
        return


def _yaml(text: str) -> Iterator[Any]:
    import yaml

    for loader in (yaml.SafeLoader, yaml.BaseLoader):  # the second leaves every part a text
        try:
            yield yaml.load(text, loader)
        except yaml.YAMLError:
            return
