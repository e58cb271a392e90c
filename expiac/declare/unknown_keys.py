"""What to say of a key that a config does not have: the key that was meant, wherever in the config it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from expiac.declare.config import field_names
from expiac.declare.parts import Part, arms, is_config_class, join, paths
from expiac.declare.renamed import RENAMED, old_name_hint, renamed_hint
from expiac.util.errors import UsageError, did_you_mean


def unknown_key(part: Part, name: str, parent: str = "", *, can_be_added: bool = False) -> UsageError:
    """The error for a name that a part of a config, at the path `parent`, does not have."""
    path = join(parent, name)
    if part.noun == "list":
        return UsageError("Unknown key", f"{path} is no item of {part.owner}, which has {len(part.names)}",
                          f"{parent}=[…] sets it as a whole")
    hint = _renamed(name, part, parent) or did_you_mean(path, [join(parent, field) for field in part.names])
    if part.noun == "mapping" and can_be_added:
        hint = "\n".join(filter(None, [hint, f"+{path}=… adds it"]))
    elif not parent:
        hint = root_hint(name, part.value, part.names)
    return UsageError("Unknown key", f"{path} is no field of {part.owner}", hint)


def root_hint(name: str, config: Any, known: Iterable[str]) -> str:
    """The hint for a bare key that a config does not have."""
    names = [*known]
    elsewhere = [path for path in paths(config, through_lists=True) if path.endswith(f".{name}")]
    if elsewhere:
        return " or ".join(f"{path}=…" for path in elsewhere)
    found = (_renamed(name, Part(config)) or next(_in_empty_parts(name, config), "")
             or hint_of_a_job(name, type(config)))
    if found:
        return found
    by_name = {path.rpartition(".")[2]: path for path in paths(config)} | {own: own for own in names}
    near = get_close_matches(name, [*by_name], n=1, cutoff=0.7)
    if near:
        return f"did you mean {by_name[near[0]]}?"
    return old_name_hint(name) or did_you_mean(name, names)


def _renamed(name: str, part: Part, parent: str = "") -> str:
    """The present name of an old one, from the config itself."""
    return renamed_hint(name, (join(parent, path) for path in paths(part.value)))


def _in_empty_parts(name: str, config: Any) -> Iterator[str]:
    """How to set a field of a part that is None."""
    whole = Part(config)
    for field in whole.names:
        declared = whole.types(field)[0]
        if whole.item(field) is None and any(name in _fields_of(arm) for arm in arms(declared)):
            yield f"{field} is null: {field}={{{name}: …}}"


def hint_of_a_job(name: str, config_class: type) -> str:
    """What to do for a setting of the jobs that the stack file gives them."""
    from expiac.declare.job import SkypilotJobConfig
    from expiac.declare.training import TrainingRunConfig

    old, name = name, _present_name(name)
    for field, kind in (("training", TrainingRunConfig), ("skypilot", SkypilotJobConfig)):
        made_of: Any = kind
        if name in field_names(made_of):
            renamed = f"renamed to {name}; " if name != old else ""
            return (f"{renamed}jobs have it as {field}.{name}: give {config_class.__name__} a field {name}, and in the "
                    f"stack file each job {kind.__name__}({name}=config.{name})")
    return ""


def _present_name(name: str) -> str:
    return RENAMED[name].new.rpartition(".")[2] if name in RENAMED else name


def _fields_of(kind: Any) -> tuple[str, ...]:
    return field_names(kind) if is_config_class(kind) else ()
