"""What a tracker knows of a run, wherever it was read: one type for W&B's server and for folders on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """One run."""

    id: str
    """Its ID in its project. The ID of a run that expiac launched is the name of the instance."""
    name: str
    project: str
    entity: str
    """The user or team that the project is of; empty where an offline run does not say."""
    group: str | None = None
    """The stack, of a run that expiac launched."""
    job_type: str | None = None
    tags: tuple[str, ...] = ()
    notes: str | None = None
    state: str = "running"
    """`running`, `finished`, `failed` or `crashed`; what else W&B says stands as it is."""
    author: str | None = None
    """The user at W&B; of a run that was read from a folder, the owner of the folder."""
    created_at: datetime | None = None
    """Aware of its time zone."""
    config: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    """The last value of each metric."""
    url: str | None = None
    """Its page; None of a run that was read from a folder."""
    paths: tuple[Path, ...] = ()
    """Its folders on this machine, the oldest first: a run that was resumed has one for each launch."""

    @property
    def path(self) -> Path | None:
        """The folder of its newest launch; None of a run that was read from W&B."""
        return self.paths[-1] if self.paths else None


@dataclass(frozen=True, slots=True)
class TrackedArtifact:
    """One version of an artifact that a run has logged."""

    name: str
    """With its version, such as `checkpoint:v3`; of an offline run, which has no versions yet, the name alone."""
    type: str
    run_id: str
    aliases: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    size: int | None = None
    """In bytes, where it is known."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """Of an offline run: where each file lies on this machine, by its path in the artifact."""
    address: str | None = None
    """Of a run that was read from W&B: `entity/project/name:version`."""
    digest: str = ""
    """W&B's digest of the files and their paths; empty where a version is put together of several runs' parts."""
