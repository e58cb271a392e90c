"""The document of `sync --json`, as types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from typing_extensions import TypedDict

from expiac.view.parts import Count, FormatVersion, Instance, Name


class SyncedRun(TypedDict):
    """What became of one W&B run that was logged offline."""

    stack: Name
    address: Name
    instance: Instance
    id: str
    """Of the W&B run."""
    outcome: Literal["uploaded", "unchanged", "to upload", "failed"]
    """`unchanged`: it was uploaded earlier, and has no more rows now."""
    rows: Count
    """How many rows of its history were uploaded; 0 where none were."""
    artifacts: Count
    """How many versions of artifacts it has logged, all of which W&B has; 0 where nothing was uploaded."""
    url: str
    """Its page; empty where none is known."""
    why: str
    """Why it failed; empty where it did not."""


class UnreadableRun(TypedDict):
    """A file that is called as one of an offline run, and is none that can be uploaded."""

    stack: Name
    address: Name
    instance: Instance
    file: str
    why: str


class SyncDocument(TypedDict):
    """The document of `sync --json`."""

    format_version: FormatVersion
    dry_run: bool
    """Nothing was uploaded."""
    synced: Sequence[SyncedRun]
    unreadable: Sequence[UnreadableRun]
