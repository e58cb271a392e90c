"""Reads YAML that anyone may have written. Pure.

What is rendered has no aliases, and is not nested without end. A few lines of either can fill the memory, or the stack
of the reader, which ends the process.
"""

from __future__ import annotations

from typing import Any

import yaml

_DEEPEST = 100
"""Levels of sections within each other."""
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> Any:
    """The data of a text. Raises `ValueError` for one that is no YAML, has aliases, or is nested too deep."""
    depth = 0
    try:
        for event in yaml.parse(text, _Loader):
            if isinstance(event, yaml.AliasEvent):
                raise ValueError("it has aliases")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise ValueError("it is nested too deep")
        return yaml.load(text, _Loader)  # a safe loader
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
