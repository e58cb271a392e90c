"""Writes decisions into the snapshots: what is accepted stands there as rendered, all else as it was before."""

from __future__ import annotations

from expiac.review.changes import FileChange, JobChange
from expiac.review.decisions import Decision, Decisions
from expiac.review.snapshots import Snapshots


def write(before: Decisions, now: Decisions, snapshots: Snapshots) -> None:
    """Writes what differs between two states of one review: accepted changes, and those that no longer are."""
    for change, old, new in zip(now.review.changes, before.taken, now.taken, strict=True):
        if (old is Decision.ACCEPT) != (new is Decision.ACCEPT):
            put(change, snapshots, accepted=new is Decision.ACCEPT)


def put(change: JobChange, snapshots: Snapshots, *, accepted: bool) -> None:
    """Writes the files of one job as they are rendered, or as they were."""
    for file in change.files:
        name = f"{change.job}.{file.name}"
        content = _content(file, accepted=accepted)
        if content is None:
            snapshots.remove(change.of, name)
        else:
            snapshots.write(change.of, name, content)


def _content(file: FileChange, *, accepted: bool) -> bytes | None:
    return file.after if accepted else file.before
