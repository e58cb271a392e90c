"""Reads a SkyPilot task as far as one machine can carry it out. Pure: asks nothing of disk or machine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from expiac.util.errors import ExpiacError
from expiac.util.gpus import parse_gpus


@dataclass(frozen=True, slots=True)
class Task:
    """What a task document asks for."""

    name: str = ""
    nodes: int = 1
    cpus: int = 1
    """Of each node."""
    gpus: int = 0
    """Of each node."""
    workdir: str = ""
    """The folder whose code is copied; empty where none is."""
    setup: str = ""
    run: str = ""
    envs: Mapping[str, str | None] = field(default_factory=dict)
    secrets: Mapping[str, str | None] = field(default_factory=dict)
    """Values by name; None where the submitter's environment has it."""
    mounts: Mapping[str, str] = field(default_factory=dict)
    """Sources by destination."""


def parse(text: str) -> Task:
    """The task that a document describes; keys that mean nothing on one machine are left unread."""
    import yaml  # takes a while, and few commands read a task

    try:
        document = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # a safe loader
    except yaml.YAMLError as error:
        raise _unreadable(str(error)) from error
    if not isinstance(document, dict):
        raise _unreadable("it is not a mapping")
    resources = document.get("resources") or {}
    return Task(
        name=str(document.get("name") or ""),
        nodes=int(document.get("num_nodes") or 1),
        cpus=_cpus(resources.get("cpus")),
        gpus=_gpus(resources.get("accelerators")),
        workdir=str(document.get("workdir") or ""),
        setup=str(document.get("setup") or ""),
        run=str(document.get("run") or ""),
        envs=_variables(document.get("envs")),
        secrets=_variables(document.get("secrets")),
        mounts=_mounts(document.get("file_mounts") or {}),
    )


def _cpus(asked: Any) -> int:
    """`2`, `"2+"` or nothing, which is one."""
    try:
        return max(1, math.ceil(float(str(asked).rstrip("+")))) if asked else 1
    except ValueError as error:
        raise _unreadable(f"resources.cpus is {asked!r}") from error


def _gpus(asked: Any) -> int:
    """`"H100:4"`, `"4"`, `{H100: 4}` or nothing; of several kinds to choose from, the first."""
    if isinstance(asked, dict):
        asked = next(iter(asked.values()), 0)
    elif isinstance(asked, (list, tuple, set)):
        asked = next(iter(asked), 0)
    if not asked:
        return 0
    try:
        return parse_gpus(str(asked)).number
    except ValueError as error:
        raise _unreadable(f"resources.accelerators is {asked!r}") from error


def _variables(asked: Any) -> dict[str, str | None]:
    if isinstance(asked, list):
        return dict.fromkeys(map(str, asked))
    return {str(name): None if value is None else str(value) for name, value in (asked or {}).items()}


def _mounts(asked: Mapping[str, Any]) -> dict[str, str]:
    for target, source in asked.items():
        if not isinstance(source, str) or "://" in source:
            detail = f"{target}: {source}"
            raise ExpiacError("No bucket can be mounted here", detail, "mount a file or a folder")
    return {str(target): source for target, source in asked.items()}


def _unreadable(why: str) -> ExpiacError:
    return ExpiacError("The task cannot be read", f"task.yaml: {why}")
