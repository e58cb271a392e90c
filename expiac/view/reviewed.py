"""The document of `review --json`: its types, and a review as JSON values. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from typing_extensions import TypedDict

from expiac.review.changes import FileChange, JobChange, Kind, Review
from expiac.review.differences import Difference
from expiac.review.resolved import Resolver
from expiac.review.snapshots import Snapshots
from expiac.view import show
from expiac.view.parts import Absent, Count, FormatVersion, Name, Names, absent, or_null

_KINDS: Mapping[Kind, Literal["new", "changed", "removed"]] = {
    Kind.NEW: "new", Kind.CHANGED: "changed", Kind.REMOVED: "removed"}


class ResolvedValues(TypedDict):
    """A difference with its interpolations resolved, as Hydra resolves them in the composed config."""

    before: Any
    """Any JSON value; null where it is absent."""
    after: Any
    """Any JSON value; null where it is absent."""


class ReviewedDifference(TypedDict):
    """One value that is another. A value that is not there at all is null, and named by `absent`."""

    path: str
    """The key path."""
    before: Any
    """Any JSON value, as it stands in the snapshot."""
    after: Any
    """Any JSON value, as it is rendered."""
    absent: Absent
    moved_to: str | None
    """The key path at which the same value stands now; null where it did not move."""
    resolved: ResolvedValues | None
    """Null where neither value holds an interpolation that can be resolved here."""


class ReviewedFile(TypedDict):
    """A rendered file that is not as its snapshot."""

    name: Name
    """Of the rendered file: `config.yaml`."""
    path: Name
    """Of the snapshot, from the project's root."""
    kind: Literal["new", "changed", "removed"]
    is_text_only: bool
    """It says the same in other words: keys in another order, other comments, other spaces."""
    differences: Sequence[ReviewedDifference]
    """By key path; none where only the text differs, and none of a file that is new, removed, or can't be read."""


class ReviewedJob(TypedDict):
    """A job of which some files are not as their snapshots."""

    stack: Name
    overrides: Names
    """Words `key=value` under which the stack is rendered."""
    job: Name
    kind: Literal["new", "changed", "removed"]
    like: Count
    """The number of its group, from 1: the jobs of a group changed alike."""
    files: Sequence[ReviewedFile]


class ReviewDocument(TypedDict):
    """The document of `review --json`."""

    format_version: FormatVersion
    is_clean: bool
    """Everything could be rendered, and is as it was accepted."""
    unchanged: Count
    """How many jobs are as they were accepted."""
    changes: Sequence[ReviewedJob]
    errors: Mapping[str, str]
    """What could not be rendered, and why, by the name of the stack, or of its folder of snapshots."""


def document(review: Review, snapshots: Snapshots) -> ReviewDocument:
    """The review as JSON values."""
    groups = {id(change): number for number, group in enumerate(review.alike, start=1) for change in group}
    return {
        "format_version": show.FORMAT,
        "is_clean": review.is_clean,
        "unchanged": review.unchanged,
        "changes": [_job(change, groups[id(change)], snapshots) for change in review.changes],
        "errors": dict(review.errors),
    }


def _job(change: JobChange, group: int, snapshots: Snapshots) -> ReviewedJob:
    resolver = Resolver(change)
    return {
        "stack": change.of.stack,
        "overrides": list(change.of.overrides),
        "job": change.job,
        "kind": _KINDS[change.kind],
        "like": group,
        "files": [_file(file, snapshots.path(change.of, f"{change.job}.{file.name}").as_posix(), resolver)
                  for file in change.files],
    }


def _file(file: FileChange, path: str, resolver: Resolver) -> ReviewedFile:
    return {
        "name": file.name,
        "path": path,
        "kind": _KINDS[file.kind],
        "is_text_only": file.is_text_only,
        "differences": [_difference(one, resolver.told(file, one)) for one in file.differences],
    }


def _difference(one: Difference, resolved: tuple[Any, Any] | None) -> ReviewedDifference:
    return {
        "path": one.path,
        "before": or_null(one.before),
        "after": or_null(one.after),
        "absent": absent(one.before, one.after),
        "moved_to": one.moved_to or None,
        "resolved": {"before": or_null(resolved[0]), "after": or_null(resolved[1])} if resolved else None,
    }
