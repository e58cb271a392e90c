"""Keeps how far the runs of a stack came that have ended, so that files which have not changed are not opened again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from expiac.apply.events import Progress
from expiac.apply.metrics.places import Found
from expiac.apply.metrics.sources import progress_of
from expiac.state.model import Record
from expiac.util.kept import read_kept, write_kept
from expiac.util.version import VERSION

FORMAT = 1
"""Of the file, and of what its numbers mean."""


class ProgressCache:
    """That of one stack. A run counts as the same while its launch and what its source says of its files do."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._head = {"format": FORMAT, "release": VERSION}
        self._has_news = False

    def progress_of(self, record: Record, found: Found | None) -> tuple[Progress | None, str]:
        """How far a run is by its metrics, and what is to be said of them; of an ended one, as it is kept."""
        if found is None or found.metrics is None or record.status.is_live:
            return progress_of(found)
        version = found.metrics.version()  # before they are read: what is written meanwhile makes it another one
        known = self._rows.get(record.run.instance)
        if known is not None and version is not None and known[:2] == [record.run.launch, version]:
            try:
                return Progress(**known[2]), found.note
            except (IndexError, TypeError):
                pass  # of something else
        progress, note = progress_of(found)
        if progress is not None and version is not None:
            self._rows[record.run.instance] = [record.run.launch, version, asdict(progress)]
            self._has_news = True
        return progress, note

    def save(self, present: Collection[str]) -> None:
        """Writes what is new, beside what is kept of these runs."""
        if not self._has_news:
            return
        rows = {instance: row for instance, row in self._rows.items() if instance in present}
        write_kept(self._file, self._head, json.dumps(rows).encode())
        self._has_news = False

    @cached_property
    def _rows(self) -> dict[str, list[Any]]:
        content = read_kept(self._file, self._is_ours)
        try:
            rows = json.loads(content or b"{}")
            return {name: row for name, row in rows.items() if isinstance(row, list)}
        except (ValueError, AttributeError):
            return {}

    def _is_ours(self, head: Mapping[str, Any]) -> bool:
        return {name: head.get(name) for name in self._head} == self._head
