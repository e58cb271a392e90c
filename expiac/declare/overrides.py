"""`key=value` words into a typed config. Knows paths and fields; nothing of stacks or command lines.

`literals` makes a value of each text, with pydantic. No library puts the values in place: OmegaConf and pydantic would
build the config again, and lose which fields its author named, and the defaults that a stack file gives to parts.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ValidationError

from expiac.declare.config import field_names, is_config
from expiac.declare.literals import parse_value
from expiac.declare.reads import peek
from expiac.declare.validation import config_error, message
from expiac.util.errors import UsageError, did_you_mean

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
    """A config of the class with these overrides; every mistake is named at once.

    A bare key that is no field of the config itself means the one field of that name in its parts.
    """
    made_of: Any = config_class
    own = field_names(made_of)
    problems: list[str] = []
    config = _create(config_class, {key: text for key, text in overrides.items() if key in own}, problems)
    texts_by_parent: dict[str, dict[str, str]] = defaultdict(dict)
    for key, text in overrides.items():
        if key not in own:
            parent, _, name = _full_path(config, key).rpartition(".")
            texts_by_parent[parent][name] = text
    parts = {parent: _part_at(config, parent) for parent in texts_by_parent}
    values_by_parent = {
        parent: _parse_values(_types_of(parts[parent]), texts, parent, problems)
        for parent, texts in texts_by_parent.items()
    }
    _raise_for(problems)
    for parent, values in values_by_parent.items():
        _assign(config, parent, values)
    return config


def unread_keys(config: Any, overrides: Mapping[str, str], read: Collection[str]) -> tuple[str, ...]:
    """The keys that set a field of the config, or of a part of it, where the field is none of those that are read."""
    return tuple(key for key in overrides if _full_path(config, key).partition(".")[0] not in read)


def _full_path(config: Any, key: str) -> str:
    kind: Any = type(config)
    return key if "." in key or key in field_names(kind) else _field_below(config, key)


def _field_below(config: Any, name: str) -> str:
    """The path of the one field of this name in the parts of a config."""
    found = list(_paths_to(config, name))
    if len(found) > 1:
        raise UsageError("Unknown key", f"{name} is no field of {type(config).__name__}, and of several of its parts",
                         " or ".join(f"{path}=…" for path in found))
    if not found:
        _check_field(_types_of(config), name, "")
    return found[0]


def _paths_to(part: Any, name: str, path: str = "") -> Iterator[str]:
    kind: Any = type(part)
    for field in part if isinstance(part, Mapping) else field_names(kind):
        inner = part[field] if isinstance(part, Mapping) else peek(part, field)
        if field == name and path:
            yield _join(path, field)
        if is_config(inner) or isinstance(inner, Mapping):
            yield from _paths_to(inner, name, _join(path, field))


def _create(config_class: type[C], texts: Mapping[str, str], problems: list[str]) -> C:
    values = _parse_values(_fields_of(config_class), texts, "", problems)
    try:
        return config_class(**values)
    except ValidationError as error:
        _raise_for(problems)
        if error.title != config_class.__name__:
            raise  # a mistake in one of the class's defaults: its author sees pydantic's own error
        raise _usage_error(error, config_class) from error


def _usage_error(error: ValidationError, about: type, where: str = "") -> UsageError:
    """What pydantic says of a config that the command line has set."""
    said = config_error(error, about, where)
    return UsageError(said.summary, said.detail, said.hint, code=said.code)


def _raise_for(problems: Sequence[str]) -> None:
    if problems:
        raise UsageError("Invalid value", "\n".join(problems))


def _part_at(config: Any, path: str) -> Any:
    """The config, or the mapping, at the dotted path."""
    part, path_so_far = config, ""
    for name in path.split("."):
        _check_field(_types_of(part), name, path_so_far)
        part = part[name] if isinstance(part, Mapping) else peek(part, name)
        path_so_far = _join(path_so_far, name)
        if not is_config(part) and not isinstance(part, Mapping):
            raise UsageError("Unknown key", f"{path_so_far} holds {part!r}, which has no keys of its own",
                             f"set {path_so_far} in the stack file, or {path_so_far}=… as a whole")
    return part


@dataclasses.dataclass(frozen=True, slots=True)
class _Fields:
    """The fields that a part of a config has."""

    owner: str
    types: Mapping[str, Any]
    names: Sequence[str]


def _types_of(part: Any) -> _Fields:
    if isinstance(part, Mapping):
        kept = {key: Any if value is None else type(value) for key, value in part.items()}
        return _Fields("this mapping", kept, tuple(kept))
    return _fields_of(type(part))


def _fields_of(kind: Any) -> _Fields:
    return _Fields(kind.__name__, get_type_hints(kind, include_extras=True), field_names(kind))


def _parse_values(fields: _Fields, texts: Mapping[str, str], parent: str, problems: list[str]) -> dict[str, Any]:
    """The texts as values of the fields' types; a text that its type does not accept is added to the problems."""
    for name in texts:
        _check_field(fields, name, parent)
    values = {}
    for name, text in texts.items():
        try:
            values[name] = parse_value(fields.types[name], text)
        except ValidationError as error:
            problems += _problems(error, _join(parent, name), text)
    return values


def _problems(error: ValidationError, path: str, text: str) -> list[str]:
    """One line for each thing that pydantic says of one text."""
    lines = []
    for problem in error.errors():
        place, given = ".".join([path, *map(str, problem["loc"])]), problem["input"]
        shown = given if problem["loc"] and isinstance(given, str | int | float) else text  # of a list, the wrong part
        lines.append(f"{place}={shown}: {message(problem)}")
    return lines


def _assign(config: Any, parent: str, values: Mapping[str, Any]) -> None:
    """Sets all values of one part together, so that two that must agree can change together.

    A frozen part, a model and a mapping are replaced by one with these values.
    """
    target = _part_at(config, parent) if parent else config
    parameters = getattr(type(target), "__dataclass_params__", None)
    if parameters is None or parameters.frozen:
        _replace(config, parent, target, values)
        return
    before = dict(vars(target))
    vars(target).update(values)
    try:
        for name, value in values.items():
            setattr(target, name, value)
    except ValidationError as error:
        vars(target).clear()
        vars(target).update(before)
        raise _usage_error(error, type(target), parent) from error


def _replace(config: Any, parent: str, target: Any, values: Mapping[str, Any]) -> None:
    try:
        changed = _with_values(target, values)
    except (ValidationError, ValueError, TypeError) as error:
        if isinstance(error, ValidationError):
            raise _usage_error(error, type(target), parent) from error
        raise UsageError("Invalid value", f"{parent}: {error}") from error
    above, _, name = parent.rpartition(".")
    _assign(config, above, {name: changed})


def _with_values(target: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(target, Mapping):
        return {**target, **values}
    if isinstance(target, BaseModel):
        type(target).model_validate({**dict(target), **values})  # a copy's values are not validated
        return target.model_copy(update=values)
    if hasattr(target, "__attrs_attrs__"):
        import attr

        return attr.evolve(target, **values)
    return dataclasses.replace(target, **values)


def _check_field(fields: _Fields, name: str, parent: str) -> None:
    """Raises `UsageError` if there is no field of the name."""
    if name not in fields.names:
        path = _join(parent, name)
        raise UsageError("Unknown key", f"{path} is no field of {fields.owner}",
                         did_you_mean(path, [_join(parent, field) for field in fields.names]))


def _join(parent: str, name: str) -> str:
    return f"{parent}.{name}" if parent else name
