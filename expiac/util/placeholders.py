"""Placeholders: texts that stand for a name until it is known, and the same texts where a user means them. Pure.

What is rendered holds `@instance@` for the name of the run. A user's own value may hold the same text, and it is to
reach the job as it was declared: in a rendered text it stands as `@literal-instance@`, with one `literal-` more than
was declared, until the placeholders are filled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

INSTANCE = "@instance@"
"""Stands for the instance name in everything that is rendered, hashed and snapshotted."""
DATA_DIR = "@data_dir@"
"""Stands for the folder of results while a config is composed: where a job runs is no part of what it is."""
_ANY = re.compile(r"@(?P<literal>(?:literal-)*)(?P<name>instance|data_dir)@")


def escape(value: Any) -> Any:
    """The nested JSON value, keys included, with each text in it marked as the user's own."""
    return _map(value, lambda found: f"@literal-{found[0][1:]}")


def fill(value: Any, names: Mapping[str, str] | None = None) -> Any:
    """The nested JSON value with each placeholder replaced by its name, and the user's own texts as they were declared.

    A placeholder that is not among the names stays.
    """

    def filled(found: re.Match[str]) -> str:
        if found["literal"]:
            return f"@{found[0].removeprefix('@literal-')}"
        return (names or {}).get(found[0], found[0])

    return _map(value, filled)


def fill_data_dir(path: str, folder: str) -> str:
    """The path with the folder of results in place; everything else stays as it is, to be filled later."""
    return _ANY.sub(lambda found: folder if found[0] == DATA_DIR else found[0], path)


def _map(value: Any, change: Callable[[re.Match[str]], str]) -> Any:
    match value:
        case str():
            return _ANY.sub(change, value) if "@" in value else value
        case dict():
            return {_map(key, change): _map(part, change) for key, part in value.items()}
        case list() | tuple():
            return [_map(part, change) for part in value]
    return value
