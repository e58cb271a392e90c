"""Writes decisions into the snapshots: what is accepted stands there as rendered, all else as it was before.

What somebody else has written there since, in another review or by a checkout, is neither replaced nor removed.
"""

from __future__ import annotations

from expiac.review.changes import FileChange, JobChange, Review
from expiac.review.decisions import Decision, Decisions
from expiac.review.snapshots import Snapshots
from expiac.util.errors import ExpiacError


def write(before: Decisions, now: Decisions, snapshots: Snapshots) -> None:
    """Writes what differs between two states of one review: accepted changes, and those that no longer are."""
    for change, old, new in zip(now.review.changes, before.taken, now.taken, strict=True):
        if (old is Decision.ACCEPT) != (new is Decision.ACCEPT):
            put(change, snapshots, accepted=new is Decision.ACCEPT)


def put(change: JobChange, snapshots: Snapshots, *, accepted: bool) -> None:
    """Writes the files of one job as they are rendered, or as they were.

    Raises `ExpiacError`, and writes none of them, where a snapshot is neither the one nor the other any more.
    """
    for file in change.files:
        name = f"{change.job}.{file.name}"
        if snapshots.content(change.of, name) not in (file.before, file.after):
            raise ExpiacError("Snapshot changed meanwhile", f"{snapshots.path(change.of, name)} is not as it was when "
                              "this review began", "expiac review")
    for file in change.files:
        name = f"{change.job}.{file.name}"
        content = _content(file, accepted=accepted)
        if content is None:
            snapshots.remove(change.of, name)
        else:
            snapshots.write(change.of, name, content)
    if accepted and snapshots.has(change.of):
        snapshots.write_stack_file(change.of, change.program)


def write_stack_files(review: Review, snapshots: Snapshots) -> None:
    """Records which stack files of the reviewed sets are not in the folder of the stacks: a later review finds them."""
    for which, program in review.stack_files.items():
        if snapshots.has(which):
            snapshots.write_stack_file(which, program)


def _content(file: FileChange, *, accepted: bool) -> bytes | None:
    return file.after if accepted else file.before
