"""Compares renderings with the project's reviewed snapshots by syrupy: the files that `expiac review` reads and writes.

Each rendered file is one snapshot. Its name says stack, overrides and job, and never a test.
"""

from __future__ import annotations

import shlex
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.data import SnapshotCollection, SnapshotCollections
from syrupy.extensions.single_file import SingleFileSnapshotExtension

from expiac.plan.formatting import printable
from expiac.pytest_plugin import unused
from expiac.pytest_plugin.requirements import refuse_shared_folder
from expiac.pytest_plugin.stacks import Renderings
from expiac.review.changes import JobChange, Kind, Review, compare, gather
from expiac.util.durable import replace_file
from expiac.view import reviews

if TYPE_CHECKING:
    from syrupy.location import PyTestLocation
    from syrupy.types import SnapshotIndex

_FILES = 3
"""Names of files in the line of a failed assertion, which pytest cuts after eight lines."""


class RenderedFile(SingleFileSnapshotExtension):
    """A file at a path of its own, byte for byte. What the path is, the index says."""

    def serialize(self, data: Any, **_: Any) -> bytes:
        """The bytes of a text."""
        return str(data).encode()

    @classmethod
    def get_location(cls, *, test_location: PyTestLocation, index: SnapshotIndex) -> str:
        """The index is the path."""
        return str(index)

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        """The test and the file, for syrupy's messages."""
        return f"{test_location.snapshot_name}[{Path(str(index)).name}]"

    def discover_snapshots(self, **_: Any) -> SnapshotCollections:
        """None: syrupy goes by the names of tests. `unused` tells it which snapshots no job has any more."""
        return SnapshotCollections()

    @classmethod
    def write_snapshot(cls, **options: Any) -> None:
        """Writes the file. That its path has no test's name is as it should be, and no reason for a warning."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            super().write_snapshot(**options)

    @classmethod
    def write_snapshot_collection(cls, *, snapshot_collection: SnapshotCollection, **_: Any) -> None:
        """Puts the file in its place: whoever reads it meanwhile finds the old one or the new one, whole."""
        (snapshot,) = snapshot_collection
        assert isinstance(snapshot.data, bytes)
        replace_file(Path(snapshot_collection.location), snapshot.data)


class ReviewedSnapshot:
    """Equal to the renderings of a stack if each file is as its snapshot; with `--snapshot-update` it is made so."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        base = request.getfixturevalue("snapshot")
        if not isinstance(base, SnapshotAssertion):
            raise TypeError(f"the fixture `snapshot` of this test is not syrupy's: it gives a {type(base).__name__}")
        self._assertion = base.use_extension(RenderedFile)
        self._request = request
        self.failed: tuple[Renderings, Review] | None = None
        """What was compared last, and how it differs from the snapshots."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Renderings):
            raise TypeError(f"compare the renderings of a stack, and not a {type(other).__name__}: "
                            "expiac_stack(NAME).renderings == expiac_snapshot")
        refuse_shared_folder(other.snapshots.folder, self._request.config)
        before = other.snapshots.read(other.which)
        folder = other.snapshots.folder / other.which.name
        texts = {f"{job}.{name}": text for job, files in other.by_job.items() for name, text in files.items()}
        are_equal = [self._is_equal(folder / name, text) for name, text in texts.items()]
        if texts and self._request.config.option.update_snapshots:
            other.snapshots.write_stack_file(other.which, other.stack_file)
        unused.note(self._request.config, folder, before.keys() - texts.keys())
        self.failed = None
        if not all(are_equal):
            self.failed = other, gather([compare(other.which, other.by_job, before)], {})
            self._show(self.failed[1])
        return all(are_equal)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return "expiac_snapshot"

    def _is_equal(self, path: Path, text: str) -> bool:
        is_equal = bool(text == self._assertion(name=str(path)))
        error = self._assertion.executions[self._assertion.num_executions - 1].exception
        if error is not None:  # such as a file that can't be written: syrupy keeps it
            raise error
        return is_equal

    def _show(self, review: Review) -> None:
        """Shows all differences below the test, where pytest cuts nothing."""
        width = max(self._request.config.get_terminal_writer().fullwidth, 60)
        lines = [line for alike in review.alike for line in (*reviews.group_lines(alike, width), "")]
        for change in (change for change in review.changes if any(file.is_text_only for file in change.files)):
            lines += reviews.text_lines(change)
        self._request.node.add_report_section("call", "differences", "\n".join(lines).rstrip())


def explanation(left: object, right: object) -> list[str] | None:
    """The few lines of a failed assertion: what differs, where, and what to do; None for any other assertion."""
    snapshot = right if isinstance(right, ReviewedSnapshot) else left
    if not isinstance(snapshot, ReviewedSnapshot) or snapshot.failed is None:
        return None
    renderings, review = snapshot.failed
    files = [(change, file.name) for change in review.changes if change.kind is not Kind.REMOVED
             for file in change.files if file.after is not None]
    named = [_named(renderings, change, name) for change, name in files[:_FILES]]
    more = [f"and {len(files) - _FILES:,} more"] if len(files) > _FILES else []
    return [f"{renderings.which.name}: {reviews.summary(review)}", *named, *more,
            f"Review: {_command(renderings)}"]


def _named(renderings: Renderings, change: JobChange, name: str) -> str:
    file = next(file for file in change.files if file.name == name)
    path = renderings.snapshots.path(renderings.which, f"{change.job}.{name}")
    return f"{printable(str(path))} {'does not exist' if file.before is None else 'differs'}"


def _command(renderings: Renderings) -> str:
    return shlex.join(["expiac", "review", renderings.which.stack, *renderings.which.overrides])
