"""Runs from the folders that W&B's client leaves on this machine: offline runs, and its copies of online ones."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from expiac.tracking.errors import no_such_file, no_such_run
from expiac.tracking.query import Query
from expiac.tracking.records import Part, history_of, read_part
from expiac.tracking.runs import TrackedArtifact, TrackedRun
from expiac.util.errors import ExpiacError

_NAME = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-(?P<id>.+)")
_SKIPPED = frozenset(("__pycache__", "node_modules", "site-packages", ".git", ".venv", ".mypy_cache", ".ruff_cache"))
ALIVE = 5 * 60
"""Seconds without a word after which a run that has not ended counts as crashed, as W&B has it."""


class Folders:
    """The runs below one folder."""

    def __init__(self, root: Path, *, project: str | None = None) -> None:
        self.root = root
        self.notes: list[str] = []
        """What could not be read, of the last call: a line for each folder."""
        self._project = project
        self._parts: dict[Path, tuple[tuple[int, int], Part | None]] = {}
        """What was read from each file, with the size and time that it then had."""

    def find(self, query: Query) -> Iterator[TrackedRun]:
        """The runs that are meant."""
        return query.select(self._runs(list(_files(self.root))))

    def run(self, id: str) -> TrackedRun:
        """The run with this ID; raises `ExpiacError` where there is none. Of several projects' runs, the newest."""
        found = self._runs([file for file in _files(self.root) if file.name == f"run-{id}.wandb"])
        if not found:
            raise no_such_run(id, str(self.root), self.notes)
        return found[-1]

    def history(self, run: TrackedRun) -> Iterator[dict[str, Any]]:
        """Every row that the run logged, launch after launch."""
        for path in run.paths:
            file = path / f"run-{run.id}.wandb"
            self._part(file)  # notes what is wrong with it
            yield from history_of(file)

    def artifacts(self, run: TrackedRun) -> Sequence[TrackedArtifact]:
        """What the run has logged."""
        parts = (self._part(path / f"run-{run.id}.wandb") for path in run.paths)
        return tuple(artifact for part in parts if part is not None for artifact in part.artifacts)

    def download(self, artifact: TrackedArtifact, folder: Path) -> Path:
        """Copies the files of an artifact into a folder; raises `ExpiacError` where one of them is gone."""
        for name, source in artifact.files.items():
            target = folder / name
            if not source.is_file() or not target.resolve().is_relative_to(folder.resolve()):
                raise no_such_file(artifact.name, name, str(source))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        return folder

    def _runs(self, files: Sequence[Path]) -> list[TrackedRun]:
        """The runs of these files, the oldest first; of several files, if a run was resumed."""
        self.notes.clear()
        by_run: dict[tuple[str, str, str], list[Part]] = {}
        for file in files:
            part = self._part(file)
            if part is not None and self._project in (None, part.project):
                by_run.setdefault((part.entity, part.project, part.id), []).append(part)
        runs = [_joined(sorted(parts, key=lambda part: part.file.parent.name.removeprefix("offline-")))
                for parts in by_run.values()]
        return sorted(runs, key=lambda run: run.created_at.timestamp() if run.created_at else 0.0)

    def _part(self, file: Path) -> Part | None:
        """What a file says; None, with a note, where it says nothing."""
        try:
            stat = file.stat()
            version = (stat.st_size, stat.st_mtime_ns)
            if file not in self._parts or self._parts[file][0] != version:
                self._parts[file] = (version, read_part(file))
            part = self._parts[file][1]
        except (ExpiacError, OSError) as error:
            self._note(error.detail if isinstance(error, ExpiacError) else f"{file}: {error.strerror}")
            return None
        if part is None:
            self._note(f"{file.parent}: nothing of the run is written yet")
        elif part.damaged_at is not None:
            self._note(f"{file} is damaged at byte {part.damaged_at}: what follows is not read")
        return part

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _files(root: Path) -> Iterator[Path]:
    """The file of each run below a folder. Follows no link to a folder, such as `latest-run`."""
    for folder, below, _ in os.walk(root):
        for name in sorted(below):
            if (match := _NAME.fullmatch(name)) and (file := Path(folder, name, f"run-{match['id']}.wandb")).is_file():
                yield file
        below[:] = [name for name in below if name not in _SKIPPED and not _NAME.fullmatch(name)]


def _joined(parts: Sequence[Part]) -> TrackedRun:
    """The run that its launches make up: it began with the first, and is now as the last says."""
    first, last = parts[0], parts[-1]
    config: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    for part in parts:
        config |= part.config
        summary |= part.summary
    return TrackedRun(
        id=last.id, name=last.name or last.id, project=last.project, entity=last.entity, group=last.group,
        job_type=last.job_type, tags=last.tags, notes=last.notes, state=_state(last), author=_owner(first.file),
        created_at=first.started_at or _modified(first.file), config=config, summary=summary,
        paths=tuple(part.file.parent for part in parts))


def _state(part: Part) -> str:
    if part.exit_code is not None:
        return "finished" if part.exit_code == 0 else "failed"
    try:
        is_alive = time.time() - part.file.stat().st_mtime < ALIVE
    except OSError:
        is_alive = False
    return "running" if is_alive else "crashed"


def _owner(file: Path) -> str | None:
    with suppress(OSError, KeyError, NotImplementedError):  # a user that is not known here; Windows
        return file.owner()
    return None


def _modified(file: Path) -> datetime | None:
    with suppress(OSError):
        return datetime.fromtimestamp(file.stat().st_mtime).astimezone()
    return None
