"""Under which names a job's run stands in Weights & Biases: its project, its phase, and whose account and server.

They travel in the environment of a launch, for any trainer that calls `wandb.init`, and are no part of what a run is.
What a training config or the job's own variables say counts before them.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from expiac.util.git import git

_OF_USER = ("WANDB_ENTITY", "WANDB_BASE_URL")
"""What is passed on as the user has it set."""
_NOT_IN_NAMES = re.compile(r"[/\\#?%:\x00-\x1f]+")
_LONGEST = 128


def wandb_names(root: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables for all jobs of the project in `root`: `WANDB_PROJECT`, and what the user has set."""
    names = {name: environ[name] for name in _OF_USER if environ.get(name)}
    if project := environ.get("WANDB_PROJECT") or project_name(root):
        names["WANDB_PROJECT"] = project
    return names


def project_name(root: Path) -> str:
    """The name of the project in its `pyproject.toml`, else of its git repository, else of its folder."""
    name = _declared_name(root / "pyproject.toml") or _repository_name(root) or root.resolve().name
    return _NOT_IN_NAMES.sub("-", name).strip("- ")[:_LONGEST]


def _declared_name(file: Path) -> str:
    try:
        document: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    for table in (document.get("project"), (document.get("tool") or {}).get("poetry")):
        if isinstance(table, dict) and isinstance(table.get("name"), str):
            return str(table["name"])
    return ""


def _repository_name(root: Path) -> str:
    """The last part of the address of `origin`, which is the same in each clone; else the name of the top folder."""
    if remote := (git(root, "remote", "get-url", "origin") or b"").decode(errors="replace").strip():
        path = urlparse(remote).path if "://" in remote else remote.rpartition(":")[2]
        return path.rstrip("/").removesuffix(".git").rpartition("/")[2]
    top = (git(root, "rev-parse", "--show-toplevel") or b"").decode(errors="replace").strip()
    return Path(top).name if top else ""
