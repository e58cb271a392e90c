"""Overrides into a typed config. Knows paths and fields; nothing of stacks or command lines.

`override_words` reads the words, and `literals` makes a value of each text, with pydantic. No library puts the values
in place: OmegaConf and pydantic would build the config again, and lose which fields its author named, and the defaults
that a stack file gives to parts.
"""

from __future__ import annotations

import copy
import dataclasses
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel, ValidationError

from expiac.declare.config import field_names
from expiac.declare.fields import type_hints
from expiac.declare.literals import parse_as_any
from expiac.declare.override_words import Sign, parse, split_key
from expiac.declare.parts import Part, is_part, join, paths_to
from expiac.declare.reads import assigning, peek
from expiac.declare.renamed import old_name_hint
from expiac.declare.unknown_keys import unknown_key
from expiac.declare.validation import config_error, message
from expiac.util.errors import UsageError

__all__ = ["build", "full_path", "parse", "unread_keys", "with_values"]

C = TypeVar("C")
REMOVED: Final = object()
"""In place of the value of a key that is taken out of a mapping."""


_HELD = "value"


@dataclasses.dataclass
class _Holder:
    """Holds a frozen value, so that another one can be put in its place."""

    value: Any


@dataclasses.dataclass(frozen=True, slots=True)
class _Edit:
    """One override, with the path from the config itself."""

    sign: Sign
    path: str
    text: str

    @property
    def parent(self) -> str:
        return self.path.rpartition(".")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]


def build(config_class: type[C], overrides: Mapping[str, str]) -> C:
    """A config of the class with these overrides; every mistake is named at once.

    A key whose first name is no field of the config itself means the one field of that name in its parts.
    """
    made_of: Any = config_class
    own = field_names(made_of)
    problems: list[str] = []
    texts = {key.removeprefix("++"): text for key, text in overrides.items() if key.removeprefix("++") in own}
    config = _create(config_class, texts, problems)
    edits_by_parent: dict[str, list[_Edit]] = defaultdict(list)
    for key, text in overrides.items():
        if key.removeprefix("++") not in own:
            sign, path = split_key(key)
            edit = _Edit(sign, full_path(config, path), text)
            if sign == "~" and "." not in path and _part_at(config, edit.parent).noun == "mapping":
                raise UsageError("Override refused", f"{key} does not say of which mapping", f"~{edit.path}")
            if "+" in sign:
                _add_mappings_above(config, edit.parent)
            edits_by_parent[edit.parent].append(edit)
    parts = {parent: _part_at(config, parent) for parent in edits_by_parent}
    values_by_parent = {parent: _parse_edits(parts[parent], edits, problems)
                        for parent, edits in edits_by_parent.items()}
    _raise_for(problems)
    for parent, values in values_by_parent.items():
        _assign(config, parent, values)
    return config


def with_values(value: C, values: Mapping[str, Any], find: Callable[[str], str] | None = None) -> C:
    """A copy of a config or resource in which each key has its value; texts and numbers are read as
    on the command line.

    A key whose first name is no field of the value itself means the one field of that name in its parts. Who asks for
    many copies may give a `find` that remembers the full path of each key.
    """
    find = find or partial(full_path, value)
    holder = _Holder(copy.deepcopy(value))
    problems: list[str] = []
    by_parent: dict[str, dict[str, Any]] = defaultdict(dict)
    for key, given in values.items():
        sign, path = split_key(key)
        text = str(given).lower() if isinstance(given, bool) else str(given)
        edit = _Edit(sign, f"{_HELD}.{find(path)}", text)
        part = _part_at(holder, edit.parent)
        _check(part, edit)
        is_text = isinstance(given, str | int | float)
        by_parent[edit.parent].update(_parse_edits(part, [edit], problems) if is_text else {edit.name: given})
    try:
        _raise_for(problems)
        for parent, some in by_parent.items():
            _assign(holder, parent, some)
    except UsageError as error:
        detail = error.detail.replace(f"{_HELD}.", "", len(values))
        raise UsageError(error.summary, detail, error.hint, code=error.code) from error
    return cast(C, holder.value)


def unread_keys(config: Any, overrides: Mapping[str, str], read: Collection[str]) -> tuple[str, ...]:
    """The keys that set a field of the config, or of a part of it, where the field is none of those that are read."""
    keys = [split_key(key)[1] for key in overrides]
    return tuple(key for key in keys if full_path(config, key).partition(".")[0] not in read)


def full_path(config: Any, key: str) -> str:
    """The path of a key whose first name may stand for the one field of that name in the parts of a config."""
    first, dot, rest = key.partition(".")
    kind: Any = type(config)
    return key if first in field_names(kind) else f"{_field_below(config, first, dot + rest)}{dot}{rest}"


def _field_below(config: Any, name: str, rest: str) -> str:
    """The path of the one field of this name in the parts of a config."""
    found = list(paths_to(config, name))
    if len(found) > 1:
        raise UsageError("Unknown key", f"{name} is no field of {type(config).__name__}, and of several of its parts",
                         " or ".join(f"{path}{rest}=…" for path in found))
    if not found:
        raise unknown_key(Part(config), name)
    return found[0]


def _create(config_class: type[C], texts: Mapping[str, str], problems: list[str]) -> C:
    hints = type_hints(config_class)
    values = {}
    for name, text in texts.items():
        try:
            values[name] = parse_as_any((hints[name],), text)
        except ValidationError as error:
            problems += _problems(error, name, text)
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


def _part_at(config: Any, path: str) -> Part:
    """The config, mapping or list at the dotted path."""
    part, path_so_far = Part(config), ""
    for name in path.split(".") if path else ():
        if name not in part.names:
            raise unknown_key(part, name, path_so_far)
        inner, path_so_far = part.part(name), join(path_so_far, name)
        if inner is None:
            raise UsageError("Unknown key", f"{path_so_far} holds {part.item(name)!r}, which has no keys of its own",
                             f"set {path_so_far} in the stack file, or {path_so_far}=… as a whole")
        part = inner
    return part


def _add_mappings_above(config: Any, path: str) -> None:
    """Adds the mappings on the way to a key that is added, where a mapping does not have them: `+model.head.size=4`."""
    above = ""
    for name in path.split("."):
        part = _part_at(config, above)
        is_missing = name not in part.names or part.item(name) is None
        if part.noun == "mapping" and is_missing:
            _assign(config, above, {name: {}})
        elif is_missing or not is_part(part.item(name)):
            return  # `_part_at` says what is wrong with the path
        above = join(above, name)


def _parse_edits(part: Part, edits: Sequence[_Edit], problems: list[str]) -> dict[str, Any]:
    """The new value of each name; a text that its type does not accept is added to the problems."""
    values: dict[str, Any] = {}
    for edit in edits:
        _check(part, edit)
        if edit.sign == "~":
            values[edit.name] = REMOVED
            continue
        try:
            values[edit.name] = parse_as_any(part.types(edit.name), edit.text)
        except ValidationError as error:
            problems += _problems(error, edit.path, edit.text)
    return values


def _check(part: Part, edit: _Edit) -> None:
    """Raises `UsageError` if the part lacks the name, or does not take an override of this sign."""
    is_known, is_mapping = edit.name in part.names, part.noun == "mapping"
    may_add = is_mapping and (part.is_open or "+" in edit.sign) and edit.sign != "~"
    if not is_known and not may_add:
        raise unknown_key(part, edit.name, edit.parent, can_be_added=is_mapping and not edit.sign)
    if edit.sign == "~" and not is_mapping:
        raise UsageError("Override refused", f"~{edit.path}: only keys of mappings can be removed",
                         f"{edit.path}=null" if part.noun == "config" else f"{edit.parent}=[…] sets it as a whole")
    if edit.sign == "+" and is_known:
        raise UsageError("Override refused", f"+{edit.path}: it is there already", f"{edit.path}=…")


def _problems(error: ValidationError, path: str, text: str) -> list[str]:
    """One line for each thing that pydantic says of one text."""
    several = "; for several values, the stack file makes a job of each" if "," in text else ""
    lines = []
    for problem in error.errors():
        place, given = ".".join([path, *map(str, problem["loc"])]), problem["input"]
        shown = given if problem["loc"] and isinstance(given, str | int | float) else text  # of a list, the wrong part
        renamed = old_name_hint(str(problem["loc"][-1])) if problem["type"] == "unexpected_keyword_argument" else ""
        said = f"{message(problem)}, {renamed}" if renamed else message(problem)
        lines.append(f"{place}={shown}: {said}{several if given == text else ''}")
    return lines


def _assign(config: Any, parent: str, values: Mapping[str, Any]) -> None:
    """Sets all values of one part together, so that two that must agree can change together.

    A frozen part, a model, a mapping and a list are replaced by one with these values.
    """
    target = _part_at(config, parent).value
    parameters = getattr(type(target), "__dataclass_params__", None)
    if parameters is None or parameters.frozen:
        _replace(config, parent, target, values)
        return
    fields = peek(target, "__dict__")  # which is no read of the stack file's
    before = dict(fields)
    fields.update(values)
    try:
        with assigning():
            for name, value in values.items():
                setattr(target, name, value)
    except ValidationError as error:
        fields.clear()
        fields.update(before)
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
        return {name: value for name, value in {**target, **values}.items() if value is not REMOVED}
    if isinstance(target, list | tuple):
        items = list(target)
        for index, value in values.items():
            items[int(index)] = value
        return type(target)(items)
    if isinstance(target, BaseModel):
        type(target).model_validate({**dict(target), **values})  # a copy's values are not validated
        return target.model_copy(update=values)
    if hasattr(target, "__attrs_attrs__"):
        import attr

        return attr.evolve(target, **values)
    return dataclasses.replace(target, **values)
