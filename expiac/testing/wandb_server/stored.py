"""What a server keeps of a run, as the client uploaded it: settings, rows by their line, files, artifacts."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

HISTORY = "wandb-history.jsonl"
EVENTS = "wandb-events.jsonl"
SUMMARY = "wandb-summary.json"


@dataclass(slots=True)
class StoredArtifact:
    """One version of an artifact."""

    id: str
    name: str
    type: str
    version: int
    digest: str
    entity: str
    project: str
    run: str
    aliases: list[str] = field(default_factory=list)
    metadata: str | None = None
    description: str | None = None
    is_committed: bool = False
    manifest: str | None = None
    """Where its manifest is stored."""
    files: dict[str, str] = field(default_factory=dict)
    """Where each file is stored, by its path in the artifact."""


@dataclass(slots=True)
class StoredRun:
    """One run of a project."""

    entity: str
    project: str
    name: str
    """The run's ID; `name` is what W&B's protocol calls it."""
    display_name: str = ""
    state: str = "running"
    group: str | None = None
    job_type: str | None = None
    notes: str | None = None
    tags: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    """As the protocol has it: `{"lr": {"value": 0.1}}`."""
    summary: dict[str, Any] = field(default_factory=dict)
    username: str = ""
    host: str | None = None
    commit: str | None = None
    created_at: str = field(default_factory=lambda: _now())
    heartbeat_at: str = field(default_factory=lambda: _now())
    upserts: int = 0
    """How often a client created or updated it."""
    uploads: int = 0
    """Rows of the history that clients sent, with those that they sent again."""
    streams: dict[str, dict[int, str]] = field(default_factory=dict)
    """The lines of each streamed file, by their number."""
    files: dict[str, bytes] = field(default_factory=dict)
    exit_code: int | None = None

    @property
    def id(self) -> str:
        return b64encode(f"Run:v1:{self.name}:{self.project}:{self.entity}".encode()).decode()

    @property
    def history(self) -> list[dict[str, Any]]:
        """The rows of the history, each once."""
        return [json.loads(line) for line in self.lines(HISTORY)]

    @property
    def last_step(self) -> int:
        return max((int(row.get("_step", -1)) for row in self.history), default=-1)

    def lines(self, stream: str) -> list[str]:
        """The lines of a streamed file, in order."""
        return [line for _, line in sorted(self.streams.get(stream, {}).items())]

    def write(self, stream: str, offset: int, content: Iterable[str]) -> None:
        """Keeps lines from a line number on: a line that is sent again takes the place of the first."""
        lines = list(content)
        if stream == SUMMARY:
            self.summary = json.loads(lines[-1]) if lines else self.summary
            return
        kept = self.streams.setdefault(stream, {})
        kept.update({offset + number: line for number, line in enumerate(lines)})
        self.uploads += len(lines) if stream == HISTORY else 0

    def update(self, values: Mapping[str, Any]) -> None:
        """Sets what an upsert gives; None leaves a value as it is."""
        given = {key: value for key, value in values.items() if value is not None}
        for key, attribute in _ATTRIBUTES.items():
            if key in given:
                setattr(self, attribute, given[key])
        if "config" in given:
            self.config = json.loads(given["config"])
        if "summaryMetrics" in given:
            self.summary = json.loads(given["summaryMetrics"])
        self.upserts += 1

    def end(self, exit_code: int) -> None:
        self.exit_code = exit_code
        self.state = "finished" if exit_code == 0 else "failed"

    def beat(self) -> None:
        """Notes that a client is alive."""
        self.heartbeat_at = _now()


_ATTRIBUTES = {"displayName": "display_name", "display_name": "display_name", "groupName": "group",
               "jobType": "job_type", "notes": "notes", "tags": "tags", "host": "host", "commit": "commit",
               "state": "state"}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
