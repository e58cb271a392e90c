"""The runs of a project at W&B, or of the folders that W&B's client left on this machine: one service for both."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from expiac.compile.wandb_names import project_name
from expiac.declare.project import find_project
from expiac.tracking.access import find_access, require_access
from expiac.tracking.folders import Folders
from expiac.tracking.online import Online
from expiac.tracking.query import Query, query_of
from expiac.tracking.runs import TrackedArtifact, TrackedRun
from expiac.util.errors import ExpiacError

TIMEOUT = 60.0
"""Seconds in which W&B must answer."""


class WandbService:
    """Finds runs and reads what they logged.

    Its functions raise `ExpiacError`: with code `wandb-refuses-key`, `wandb-does-not-answer` (in time, or as W&B does),
    `no-such-wandb-run` or `no-such-wandb-project`.
    """

    def __init__(self, folders: Folders, online: Online | None = None) -> None:
        self._folders = folders
        self._online = online

    @property
    def is_online(self) -> bool:
        """Whether W&B is asked; else everything is read from folders, without network."""
        return self._online is not None

    @property
    def notes(self) -> Sequence[str]:
        """Which folders the last call could not read, and why."""
        return tuple(self._folders.notes)

    def get_runs_for_experiment(self, name: str) -> Sequence[TrackedRun]:
        """The runs of a stack, by their group; the newest first."""
        return self.find_runs(group=name)

    def get_run(self, run_id: str) -> TrackedRun:
        """One run. A run that W&B does not have, as it was never uploaded, is read from its folder."""
        if self._online is None:
            return self._folders.run(run_id)
        try:
            return self._online.run(run_id)
        except ExpiacError as error:
            if error.code != "no-such-wandb-run":
                raise
            return self._local_run(run_id, error)

    def find_runs(self, *, ids: Sequence[str] | None = None, tags: Sequence[str] | str = (),
                  author: str | None = None, state: str | None = None, created_after: datetime | str | None = None,
                  created_before: datetime | str | None = None, group: str | None = None, job_type: str | None = None,
                  order: str = "-created_at", limit: int | None = None) -> Sequence[TrackedRun]:
        """The runs for which all of this holds, with all of these tags.

        Times are aware, or UTC; `created_before` is exclusive. `order` is `created_at`, `config.KEY` or
        `summary_metrics.KEY`, with `-` before it for descending. Raises `UsageError` for another order or no time.
        """
        return tuple(self._find(query_of(
            ids=ids, tags=tags, author=author, state=state, group=group, job_type=job_type, order=order, limit=limit,
            created_after=created_after, created_before=created_before)))

    def get_history(self, run: TrackedRun | str, keys: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """Every row that a run logged, as it is read: no samples. `_step`, `_runtime` and `_timestamp` are W&B's.

        With `keys`, the rows that have any of these, with these and `_step` alone. Keys inside of mappings have dots.
        """
        found = run if isinstance(run, TrackedRun) else self.get_run(run)
        rows = self._source(found).history(found)
        wanted = None if keys is None else set(keys)
        for row in rows:
            if wanted is None:
                yield row
            elif wanted & row.keys():
                yield {key: value for key, value in row.items() if key in wanted or key == "_step"}

    def get_artifacts(self, run: TrackedRun | str) -> Sequence[TrackedArtifact]:
        """The artifacts that a run has logged."""
        found = run if isinstance(run, TrackedRun) else self.get_run(run)
        return self._source(found).artifacts(found)

    def download_artifact(self, artifact: TrackedArtifact, folder: str | Path, *, timeout: float = 3600.0) -> Path:
        """Puts the files of an artifact into a folder, within `timeout` seconds; returns the folder."""
        target = Path(folder)
        if artifact.address is None:
            return self._folders.download(artifact, target)
        return self._require_online().download(artifact, target, timeout=timeout)

    def _find(self, query: Query) -> Iterator[TrackedRun]:
        return self._folders.find(query) if self._online is None else self._online.find(query)

    def _local_run(self, run_id: str, missing: ExpiacError) -> TrackedRun:
        try:
            return self._folders.run(run_id)
        except ExpiacError:
            raise missing from None

    def _source(self, run: TrackedRun) -> Folders | Online:
        """Where a run was read from."""
        return self._folders if run.paths else self._require_online()

    def _require_online(self) -> Online:
        if self._online is None:
            raise ExpiacError("Not read from here", "this was read from W&B, and this service reads folders alone",
                              "get_wandb_service(online=True)")
        return self._online


def get_wandb_service(root: str | Path | None = None, *, online: bool | None = None, project: str | None = None,
                      entity: str | None = None, timeout: float = TIMEOUT) -> WandbService:
    """The service of a project: online if there is a key for W&B, else offline, from the run folders below `root`.

    `root` is the folder of the project that you stand in, if you do not say. `online` decides for itself: with True,
    a missing key raises `NoAccess`; with False, nothing is asked over the network. The project at W&B is `project`,
    `WANDB_PROJECT`, or the name under which launches from `root` log; the entity is `entity`, `WANDB_ENTITY`, or the
    default of the key. Each answer of W&B, and each page of a long one, must come within `timeout` seconds.
    """
    folder = Path(root) if root is not None else find_project(Path.cwd()).root
    access = None if online is False else require_access(os.environ) if online else find_access(os.environ)
    folders = Folders(folder, project=project)
    if access is None:
        return WandbService(folders)
    name = project or os.environ.get("WANDB_PROJECT") or project_name(folder)
    return WandbService(folders, Online(access, project=name, entity=entity or os.environ.get("WANDB_ENTITY"),
                                        timeout=timeout))
