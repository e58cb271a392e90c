"""What the file of one launch of a run says of it: settings, state, summary, artifacts. Holds one record at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from expiac.apply.metrics import MissingPackage
from expiac.apply.metrics.run_log import RunLog
from expiac.apply.metrics.wandb_files import HISTORY, history, path_of, records
from expiac.tracking.errors import no_wandb, unreadable
from expiac.tracking.runs import TrackedArtifact


@dataclass(slots=True)
class Part:
    """One launch, as far as its file goes."""

    file: Path
    id: str = ""
    name: str = ""
    project: str = ""
    entity: str = ""
    group: str | None = None
    job_type: str | None = None
    tags: tuple[str, ...] = ()
    notes: str | None = None
    started_at: datetime | None = None
    exit_code: int | None = None
    """None as long as the run has not ended."""
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    artifacts: list[TrackedArtifact] = field(default_factory=list)
    damaged_at: int | None = None


def read_part(file: Path) -> Part | None:
    """What a file says; None where the run is not in it yet. Raises `ExpiacError` where it is no file of W&B's."""
    part, log = Part(file), RunLog(file)
    raw: dict[str, str] = {}
    try:
        for record in records(log, without=HISTORY):
            _take(part, record, raw)
    except MissingPackage as error:
        raise no_wandb() from error
    part.damaged_at = log.damaged_at
    part.summary = _decoded(raw)
    return part if part.id else None


def working_folder(file: Path) -> Path:
    """Where a run ran, which relative paths start from: its file is at `wandb/offline-run-…/run-….wandb` there."""
    return file.absolute().parents[2]


def history_of(file: Path) -> Iterator[dict[str, Any]]:
    """Every row of a file; raises `ExpiacError` where it is no file of W&B's."""
    try:
        yield from history(RunLog(file))
    except MissingPackage as error:
        raise no_wandb() from error
    except OSError as error:
        raise unreadable(file, error) from error


def _take(part: Part, record: Any, summary: dict[str, str]) -> None:
    match record.WhichOneof("record_type"):
        case "summary":
            for item in record.summary.update:
                summary[path_of(item)] = item.value_json
            for item in record.summary.remove:
                summary.pop(path_of(item), None)
        case "run":
            _take_run(part, record.run)
        case "config":
            _take_config(part, record.config)
        case "exit":
            part.exit_code = record.exit.exit_code
        case "artifact":
            part.artifacts.append(_artifact(part, record.artifact))


def _take_run(part: Part, run: Any) -> None:
    """The client writes the whole again if, for example, its tags change."""
    part.id, part.name, part.project, part.entity = run.run_id, run.display_name, run.project, run.entity
    part.group, part.job_type = run.run_group or None, run.job_type or None
    part.tags, part.notes = tuple(run.tags), run.notes or None
    if part.started_at is None and run.HasField("start_time"):
        part.started_at = datetime.fromtimestamp(run.start_time.seconds + run.start_time.nanos / 1e9, UTC)
    _take_config(part, run.config)


def _take_config(part: Part, config: Any) -> None:
    """Sets the keys that a user has set; `_wandb` is the client's own."""
    for item in config.update:
        path = tuple(item.nested_key) or (item.key,)
        try:
            value = json.loads(item.value_json)
        except ValueError:
            continue
        if path[0] != "_wandb":
            _set(part.config, path, value)
    for item in config.remove:
        part.config.pop(item.key, None)


def _set(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        inner = values.get(key)
        values[key] = inner if isinstance(inner, dict) else {}
        values = values[key]
    values[path[-1]] = value


def _artifact(part: Part, artifact: Any) -> TrackedArtifact:
    entries = artifact.manifest.contents
    metadata = _decoded({"metadata": artifact.metadata}).get("metadata")
    is_part = artifact.distributed_id or artifact.incremental_beta1 or not artifact.finalize
    return TrackedArtifact(
        artifact.name, artifact.type, part.id, tuple(artifact.aliases),
        metadata if isinstance(metadata, dict) else {}, sum(entry.size for entry in entries),
        {entry.path: working_folder(part.file) / entry.local_path for entry in entries if entry.local_path},
        digest="" if is_part else artifact.digest)


def _decoded(raw: dict[str, str]) -> dict[str, Any]:
    """The values of JSON texts; what is none is left out."""
    found = {}
    for key, text in raw.items():
        try:
            found[key] = json.loads(text)
        except ValueError:
            continue
    return found
