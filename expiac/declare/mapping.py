"""Changes the texts in a declared value of any kind: a resource, a config of one of the known families, a mapping."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from expiac.declare.config import field_names, is_config


def map_declared(value: Any, change: Callable[[str], str]) -> Any:
    """The value with each text in it changed, keys of mappings apart; the value itself where none changes.

    What changes is copied: a config that several resources share stays as it is for the others.
    """
    if isinstance(value, str):
        changed = change(value)
        return value if changed == value else changed
    if value is None or isinstance(value, int | float):  # most are one of these, and what follows takes longer
        return value
    if isinstance(value, Mapping):
        items = {key: map_declared(part, change) for key, part in value.items()}
        return items if any(items[key] is not value[key] for key in items) else value
    if isinstance(value, list | tuple):
        parts = [map_declared(part, change) for part in value]
        return type(value)(parts) if any(new is not old for new, old in zip(parts, value, strict=True)) else value
    if not is_config(value):
        return value
    kind: Any = type(value)
    fields = {name: map_declared(getattr(value, name), change) for name in field_names(kind)}
    changes = {name: part for name, part in fields.items() if part is not getattr(value, name)}
    return _with_fields(value, changes) if changes else value


def _with_fields(value: Any, changes: Mapping[str, Any]) -> Any:
    """A copy with other values of some fields. They differ in texts alone, so that nothing is validated again."""
    if isinstance(value, BaseModel):
        return value.model_copy(update=dict(changes))
    changed = copy.copy(value)
    for name, part in changes.items():
        object.__setattr__(changed, name, part)
    return changed
