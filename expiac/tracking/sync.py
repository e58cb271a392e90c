"""Uploads the offline W&B runs of a stack, each once: `expiac sync`.

What was uploaded is recorded, and is sent again only when its files have grown. An upload that was cut short is sent
again from the beginning: W&B keeps rows by their place, so that none is there twice. Artifacts that are there stay.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from expiac.declare.project import Project
from expiac.state.model import State
from expiac.tracking.logged import ArtifactServer, delete_staged, incomplete, logged_artifacts, require_all
from expiac.tracking.offline import OfflineRun, Unreadable, offline_runs
from expiac.tracking.run_copy import copy_run
from expiac.tracking.sync_record import Uploaded, folder_of, record_upload, uploaded_runs
from expiac.tracking.upload import upload
from expiac.util.errors import ExpiacError
from expiac.util.lock import Lock
from expiac.util.wandb_login import server_address

_ANSWER = 60.0
"""Seconds in which W&B must say which artifacts it has."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What became of one W&B run."""

    address: str
    instance: str
    id: str
    """Of the W&B run; that of a run which expiac launched is its instance name."""
    outcome: str
    """`uploaded`, `unchanged` since an earlier upload, `to upload` in a dry run, or `failed`."""
    rows: int = 0
    artifacts: int = 0
    url: str = ""
    why: str = ""
    """Why it failed, in one line."""


class Sync:
    """The offline runs of one stack, present and past."""

    def __init__(self, project: Project, state: State, environ: Mapping[str, str] = os.environ) -> None:
        self._project, self._environ = project, environ
        self._server = server_address(environ)
        local = project.state_folder / "local"
        self.runs: tuple[OfflineRun, ...] = ()
        self.unreadable: tuple[Unreadable, ...] = ()
        for record in (*state.history, *state.records.values()):
            runs, broken = offline_runs(record, local)
            self.runs += tuple(run for run in runs if run not in self.runs)
            self.unreadable += tuple(one for one in broken if one not in self.unreadable)

    def plan(self) -> tuple[Synced, ...]:
        """What would be uploaded; changes nothing."""
        return tuple(self._known(run) or _synced(run, "to upload") for run in self.runs)

    def carry_out(self, *, timeout: float) -> Iterator[Synced]:
        """Uploads each run that is new or has grown, in at most `timeout` seconds, and records it.

        Raises `Locked` where another process uploads runs of this project.
        """
        folder = folder_of(self._project)
        with Lock(folder / "sync.lock", purpose="sync"):
            for left in folder.glob("copy-*"):
                shutil.rmtree(left, ignore_errors=True)  # of a process that was killed
            for run in self.runs:
                yield self._known(run) or self._upload(run, folder, timeout)

    def _known(self, run: OfflineRun) -> Synced | None:
        """The run as it was uploaded to the server that is meant; None if there is more of it now."""
        known = uploaded_runs(self._project, run.instance, self._server).get(run.names.id)
        if known is None or dict(known.sizes) != run.sizes:
            return None
        if known.artifacts is None and logged_artifacts(run.files):  # of an earlier release, which did not ask for them
            return None
        return _synced(run, "unchanged", known.rows, known.artifacts or 0, known.url)

    def _upload(self, run: OfflineRun, folder: Path, timeout: float) -> Synced:
        sizes = run.sizes
        copies = Path(tempfile.mkdtemp(prefix="copy-", dir=folder))
        try:
            place = copies / run.files[-1].parent.name
            place.mkdir()
            _link_files(run.files[-1].parent / "files", place / "files")
            copy = place / run.files[-1].name
            artifacts = logged_artifacts(run.files)
            server = ArtifactServer(run, _ANSWER, self._environ)
            rows = copy_run(run.files, copy, without=server.digests(artifacts) | incomplete(artifacts))
            entity = "" if run.names.entity else self._environ.get("WANDB_ENTITY", "")
            url = upload(copy, entity=entity, timeout=timeout, environ=self._environ)
            require_all(artifacts, server.digests(artifacts))
            delete_staged(artifacts)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            uploaded = Uploaded(url, rows, sizes, now, self._server, len(artifacts))
            record_upload(self._project, run.instance, run.names.id, uploaded)
        except ExpiacError as error:
            return _synced(run, "failed", why=f"{error.summary}: {error.detail}")
        except OSError as error:
            return _synced(run, "failed", why=f"{error.filename or copies}: {error.strerror}")
        finally:
            shutil.rmtree(copies, ignore_errors=True)
        return _synced(run, "uploaded", rows, len(artifacts), url)


def _link_files(source: Path, target: Path) -> None:
    """Makes the files of a run a part of its copy; W&B writes others beside them, which the run's own folder lacks."""
    target.mkdir()
    for entry in source.iterdir() if source.is_dir() else ():
        if not entry.is_symlink():
            (target / entry.name).symlink_to(entry)


def _synced(run: OfflineRun, outcome: str, rows: int = 0, artifacts: int = 0, url: str = "", why: str = "") -> Synced:
    return Synced(run.address, run.instance, run.names.id, outcome, rows, artifacts, url, why)
