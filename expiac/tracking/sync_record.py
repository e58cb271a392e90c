"""What is remembered of the offline runs that were uploaded: where each is, and how much of it was sent.

One small file for each run of a stack, in the folder of states of this checkout, as the run's own files are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

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
    server: str = ""
    """Where to: the address of W&B's API; empty where an earlier release did not record it."""
    artifacts: int | None = None
    """How many artifacts the server then had of it; None where an earlier release did not ask."""


def folder_of(project: Project) -> Path:
    """Where it is remembered."""
    return project.state_folder / "wandb"


def uploaded_runs(project: Project, instance: str, server: str = "") -> dict[str, Uploaded]:
    """The W&B runs that were uploaded of one run, by their IDs: to this server, or else wherever each was sent last.

    What can't be read counts as not uploaded.
    """
    known = [(id, one) for id, one in _all(project, instance) if not server or one.server in ("", server)]
    return dict(sorted(known, key=lambda pair: pair[1].at))


def _all(project: Project, instance: str) -> list[tuple[str, Uploaded]]:
    """Each upload, with the ID of its run: at most one for each server."""
    try:
        with open(_file(project, instance), encoding="utf-8") as stream:
            known = json.load(stream)
        return [(str(one.get("id", key)), _uploaded(one)) for key, one in known.items()]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []


def _uploaded(entry: Mapping[str, Any]) -> Uploaded:
    artifacts = entry.get("artifacts")
    return Uploaded(str(entry["url"]), int(entry["rows"]), dict(entry["sizes"]), str(entry["at"]),
                    str(entry.get("server", "")), int(artifacts) if artifacts is not None else None)


def record_upload(project: Project, instance: str, id: str, uploaded: Uploaded) -> None:
    """Remembers an upload, beside those of other W&B runs of the same run, and those to other servers."""
    known = {(other, one.server): one for other, one in _all(project, instance)
             if (other, one.server) != (id, "")}  # of an earlier release: it is this one
    known[id, uploaded.server] = uploaded
    entries = {f"{other} {server}".strip(): {"id": other, **asdict(one)} for (other, server), one in known.items()}
    file = _file(project, instance)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, json.dumps(entries, indent=1).encode() + b"\n")
    except OSError as error:
        hint = "it was uploaded; the next sync sends it again"
        raise ExpiacError("Cannot write", f"{file}: {error.strerror}", hint) from error


def _file(project: Project, instance: str) -> Path:
    return folder_of(project) / f"{os.path.basename(instance)}.json"
