"""What is remembered of the offline runs that were uploaded: where each is, and how much of it was sent.

One small file for each run of a stack, in the folder of states of this checkout, as the run's own files are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from expiac.declare.project import Project
from expiac.util.durable import replace_file
from expiac.util.errors import ExpiacError


@dataclass(frozen=True, slots=True)
class Uploaded:
    """One W&B run that was uploaded."""

    url: str
    """Its page."""
    rows: int
    """How many rows its history had."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """How large each of its files was, by its path."""
    at: str = ""
    """ISO 8601, UTC."""


def folder_of(project: Project) -> Path:
    """Where it is remembered."""
    return project.state_folder / "wandb"


def uploaded_runs(project: Project, instance: str) -> dict[str, Uploaded]:
    """The W&B runs that were uploaded of one run, by their IDs. What can't be read counts as not uploaded."""
    try:
        with open(_file(project, instance), encoding="utf-8") as stream:
            known = json.load(stream)
        return {str(id): Uploaded(str(one["url"]), int(one["rows"]), dict(one["sizes"]), str(one["at"]))
                for id, one in known.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def record_upload(project: Project, instance: str, id: str, uploaded: Uploaded) -> None:
    """Remembers an upload, beside those of other W&B runs of the same run."""
    known = {**uploaded_runs(project, instance), id: uploaded}
    file = _file(project, instance)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, json.dumps({name: asdict(one) for name, one in known.items()}, indent=1).encode() + b"\n")
    except OSError as error:
        hint = "it was uploaded; the next sync sends it again"
        raise ExpiacError("Cannot write", f"{file}: {error.strerror}", hint) from error


def _file(project: Project, instance: str) -> Path:
    return folder_of(project) / f"{os.path.basename(instance)}.json"
