"""Everything that a server keeps: projects with their runs, artifacts, and stored files."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from expiac.testing.wandb_server.stored import StoredArtifact, StoredRun


class Refused(Exception):
    """The server answers with an error that says why."""


class Store:
    """What is kept. Whoever reads or changes it holds its lock."""

    def __init__(self, user: str) -> None:
        self.lock = threading.RLock()
        self.user = user
        self.runs: dict[tuple[str, str, str], StoredRun] = {}
        self.deleted: set[tuple[str, str, str]] = set()
        """Runs whose IDs can't be used again."""
        self.selected: list[StoredRun] = []
        """The runs of the last answer to a query for several."""
        self.artifacts: dict[str, StoredArtifact] = {}
        self.blobs: dict[str, bytes] = {}
        """Stored files, by the path of their URL."""

    def upsert(self, values: Mapping[str, Any]) -> tuple[StoredRun, bool]:
        """The run that a client creates or updates, and whether it is new."""
        run = self._by_storage_id(values.get("id")) if not values.get("name") else None
        if run is None:
            key = self._key(values.get("entity"), values.get("project"), values.get("name") or values.get("id"))
            if key in self.deleted:
                raise Refused(f"run {key[2]} was previously created and deleted; try a new run name")
            run = self.runs.get(key)
            is_new = run is None
            run = self.runs.setdefault(key, StoredRun(*key, display_name=key[2], username=self.user))
        else:
            is_new = False
        run.update(values)
        run.state = values.get("state") or "running"
        run.beat()
        return run, is_new

    def find(self, entity: str | None, project: str | None, name: str | None) -> StoredRun | None:
        return self.runs.get(self._key(entity, project, name))

    def project_runs(self, entity: str | None, project: str | None) -> list[StoredRun] | None:
        """The runs of a project; None where there is no such project."""
        where = self._key(entity, project, "")[:2]
        runs = [run for key, run in self.runs.items() if key[:2] == where]
        known = runs or any(key[:2] == where for key in self.deleted)
        return runs if known else None

    def delete(self, storage_id: str) -> None:
        run = self._by_storage_id(storage_id)
        if run is None:
            raise Refused("run not found")
        key = (run.entity, run.project, run.name)
        del self.runs[key]
        self.deleted.add(key)

    def _by_storage_id(self, storage_id: str | None) -> StoredRun | None:
        return next((run for run in self.runs.values() if run.id == storage_id), None)

    def _key(self, entity: str | None, project: str | None, name: str | None) -> tuple[str, str, str]:
        return entity or self.user, project or "uncategorized", name or ""
