"""Names of projects: that of the folder, as Python packages may be named."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from expiac.util.errors import UsageError

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_PRESENT = (".", "..")
_SUFFIX = "-experiments"


def is_present_folder(text: str) -> bool:
    """Whether the argument of `expiac new` names no folder, but points to one: `.`, `..` or `../..`."""
    return bool(text) and all(part in _PRESENT for part in text.rstrip("/").split("/"))


def check_name(name: str, requirements: frozenset[str]) -> None:
    """Raises `UsageError` if a project can't have the name: its letters, or that it requires a package so named."""
    if not _NAME.fullmatch(name):
        raise UsageError("Invalid name", f"{name!r} is no name of a project: letters, digits, and . _ - between them",
                         f"expiac new {_nearest(name)}")
    if normalized(name) in requirements:
        raise UsageError("Invalid name", f"{name} is the name of a package that the project requires",
                         f"expiac new {name}{_SUFFIX}")


def name_of(folder: Path, requirements: frozenset[str]) -> str:
    """The name of a project in a folder that is there already, whatever the folder is called."""
    name = _nearest(folder.resolve().name)
    return f"{name}{_SUFFIX}" if normalized(name) in requirements else name


def required_packages(pyproject: str) -> frozenset[str]:
    """The normalized names of all packages that a project requires."""
    return frozenset(normalized(re.split(r"[^\w.-]", text, maxsplit=1)[0]) for text in _requirements(pyproject))


def normalized(name: str) -> str:
    """The form in which two names of packages are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _requirements(pyproject: str) -> Iterator[str]:
    document = tomllib.loads(pyproject)
    yield from document["build-system"]["requires"]
    yield from document["project"]["dependencies"]
    for group in document["project"]["optional-dependencies"].values():
        yield from group


def _nearest(name: str) -> str:
    """A valid name that resembles this one."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._") or "experiments"
