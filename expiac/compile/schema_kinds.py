"""Reads from a schema of training configs what kind of thing each field is.

A field says so in its metadata, which needs no import of expiac: `field(default=1, metadata={"expiac": "placement"})`
in a dataclass or an attrs class, `Field(json_schema_extra={"expiac": "placement"})` in a pydantic model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_type_hints

from expiac.declare.fields import Kind
from expiac.util.errors import ExpiacError, did_you_mean

KEY = "expiac"
"""The key of a field's metadata that names its kind."""
DECLARED = (Kind.IDENTITY, Kind.PLACEMENT, Kind.ANNOTATION)
"""The kinds that a field of a config can have."""


def schema_kinds(schema: type) -> dict[str, Kind]:
    """The kind of each field that names one, by its key path; what is below a field is of its kind.

    Raises `ExpiacError` where a field names a kind that there is not.
    """
    return dict(_kinds(schema, "", ()))


def _kinds(cls: type, prefix: str, outer: tuple[type, ...]) -> Iterator[tuple[str, Kind]]:
    hints = _hints(cls)
    for name, metadata in _fields(cls).items():
        path = f"{prefix}{name}"
        if (word := metadata.get(KEY)) is not None:
            yield path, _kind(path, word)
        for inner in _config_classes(hints.get(name)):
            if inner is not cls and inner not in outer:  # a config may hold one of its own class
                yield from _kinds(inner, f"{path}.", (*outer, cls))


def _kind(path: str, word: Any) -> Kind:
    known = {kind.value: kind for kind in DECLARED}
    value = word.value if isinstance(word, Kind) else word
    if value not in known:
        raise ExpiacError("No such kind of field", f"{path} of the schema says {KEY}: {value!r}",
                          did_you_mean(str(value), known))
    return known[value]


def _fields(cls: type) -> dict[str, Mapping[str, Any]]:
    """The metadata of each field, by its name; nothing where the class is no config."""
    if (of_pydantic := getattr(cls, "model_fields", None)) is not None:
        extras = {name: field.json_schema_extra for name, field in of_pydantic.items()}
        return {name: extra if isinstance(extra, Mapping) else {} for name, extra in extras.items()}
    if dataclasses.is_dataclass(cls):
        return {field.name: field.metadata for field in dataclasses.fields(cls)}
    return {field.name: field.metadata for field in getattr(cls, "__attrs_attrs__", ())}


def _hints(cls: type) -> Mapping[str, Any]:
    try:
        return get_type_hints(cls)
    except (NameError, TypeError):
        return {}  # whoever checks the schema says what is wrong with it


def _config_classes(hint: Any) -> Iterator[type]:
    """The config classes that a field may hold by itself: `Model`, `Model | None`."""
    for kind in (hint, *get_args(hint)):
        if isinstance(kind, type) and _fields(kind):
            yield kind
