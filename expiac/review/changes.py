"""What changed: rendered files against their snapshots, job by job, and which jobs changed alike.

Pure. Texts are compared byte for byte; what they say is read only where they differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

from expiac.plan.diff import leaves
from expiac.plan.model import MISSING
from expiac.review.differences import Difference, differences, read_text
from expiac.review.renderings import COMPOSED_FILE
from expiac.review.snapshots import SnapshotSet, job_of
from expiac.review.text_lines import changed_lines, text_difference

Rendered = Mapping[str, Mapping[str, str]]
"""The texts of a stack, by job and file name."""


class Kind(str, Enum):
    """What happened to a file, or to all files of a job."""

    NEW = "new"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True)
class FileChange:
    """A rendered file that is not as its snapshot."""

    name: str
    """Of the rendered file: `config.yaml`."""
    before: bytes | None
    """The snapshot; None if there is none."""
    after: bytes | None
    """What is rendered; None if nothing is any more."""

    @property
    def kind(self) -> Kind:
        if self.before is None:
            return Kind.NEW
        return Kind.REMOVED if self.after is None else Kind.CHANGED

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """What it says otherwise; none where only its text differs, and of a file that is new or removed."""
        if self.before is None or self.after is None:
            return ()
        old, new = (read_text(_text(part), self.name) for part in (self.before, self.after))
        return () if old is None or new is None else differences(old, new)

    @cached_property
    def said(self) -> Mapping[str, Any]:
        """The values of what is rendered now, by key path; none of a text that can't be read."""
        found = None if self.after is None else read_text(_text(self.after), self.name)
        return dict(leaves("", found)) if found else {}

    @cached_property
    def text_lines(self) -> list[str]:
        """Its textual difference, as a unified diff."""
        return text_difference(_text(self.before or b""), _text(self.after or b""), self.name)

    @property
    def is_text_only(self) -> bool:
        """It says the same in other words: keys in another order, other comments, other spaces."""
        return self.kind is Kind.CHANGED and not self.differences


@dataclass(frozen=True)
class JobChange:
    """A job of which some files are not as their snapshots."""

    of: SnapshotSet
    job: str
    files: tuple[FileChange, ...]
    is_whole: bool
    """It has no other files: all are new, or all are removed."""
    composed: bytes = b""
    """Its composed config as it is rendered now, by which interpolations are resolved; empty if it has none."""
    program: str = ""
    """The path of its stack file, where that is not in the folder of the stacks."""

    @property
    def kind(self) -> Kind:
        kinds = {file.kind for file in self.files}
        return kinds.pop() if len(kinds) == 1 and self.is_whole else Kind.CHANGED

    @cached_property
    def differences(self) -> tuple[tuple[FileChange, tuple[Difference, ...]], ...]:
        """The differences of each file that has some; what an earlier file says too is left out."""
        told: set[str] = set()
        found = []
        for file in self.files:
            own = tuple(one for one in file.differences if one.key not in told)
            told |= {one.key for one in own}
            if own:
                found.append((file, own))
        return tuple(found)

    @cached_property
    def likeness(self) -> str:
        """Equal for jobs that changed alike."""
        return hashlib.sha256(repr([self.kind.value, *self._likeness()]).encode()).hexdigest()

    def _likeness(self) -> Iterator[object]:
        if self.kind is Kind.REMOVED:
            yield self.of
            return
        for file in self.files:
            yield file.name, file.kind.value
            if self.kind is Kind.NEW:  # its values are its own; jobs with the same settings are one kind of job
                yield sorted(file.said) or self._without_names(changed_lines(file.text_lines))
            else:
                yield [one.key for one in file.differences] or self._without_names(changed_lines(file.text_lines))

    def _without_names(self, lines: Sequence[str]) -> list[str]:
        """Lines in which the names of the stack and of the job make no difference."""
        return [line.replace(self.job, "\0").replace(self.of.stack, "\1") for line in lines]


@dataclass(frozen=True)
class Review:
    """All that there is to review."""

    changes: tuple[JobChange, ...] = ()
    unchanged: int = 0
    """The number of jobs that are as they were accepted."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """What could not be rendered, and why, by the name of the set."""
    stack_files: Mapping[SnapshotSet, str] = field(default_factory=dict)
    """The path of the stack file of each set of which that is not in the folder of the stacks."""

    @property
    def is_clean(self) -> bool:
        """Everything could be rendered, and is as it was accepted."""
        return not self.changes and not self.errors

    @cached_property
    def alike(self) -> tuple[tuple[JobChange, ...], ...]:
        """The changes in groups that are decided at once, in the order of their first jobs."""
        groups: dict[str, list[JobChange]] = {}
        for change in self.changes:
            groups.setdefault(change.likeness, []).append(change)
        return tuple(map(tuple, groups.values()))


def compare(of: SnapshotSet, rendered: Rendered, snapshots: Mapping[str, bytes], program: str = ""
            ) -> tuple[list[JobChange], int]:
    """The jobs of one stack that changed, new ones and removed ones among them, and how many did not.

    `program` is the path of its stack file, where that is not in the folder of the stacks.
    """
    texts = {f"{job}.{name}": text.encode() for job, files in rendered.items() for name, text in files.items()}
    differing: dict[str, list[FileChange]] = {job: [] for job in rendered}
    kept: dict[str, int] = dict.fromkeys(rendered, 0)
    for name in (*texts, *sorted(snapshots.keys() - texts.keys())):
        if (found := job_of(name)) is None:
            continue
        job, file = found
        before, after = snapshots.get(name), texts.get(name)
        if before == after:
            kept[job] += 1
        else:
            differing.setdefault(job, []).append(FileChange(file, before, after))
    changes = [JobChange(of, job, tuple(sorted(files, key=lambda file: reading_order(file.name))),
                         is_whole=not kept.get(job), composed=texts.get(f"{job}.{COMPOSED_FILE}", b""), program=program)
               for job, files in differing.items() if files]
    return changes, len(differing) - len(changes)


def gather(parts: Iterable[tuple[list[JobChange], int]], errors: Mapping[str, str],
           stack_files: Mapping[SnapshotSet, str] | None = None) -> Review:
    """The review of several stacks."""
    found = list(parts)
    return Review(tuple(change for changes, _ in found for change in changes),
                  sum(unchanged for _, unchanged in found), dict(errors), dict(stack_files or {}))


def varying(changes: Sequence[JobChange]) -> Mapping[str, list[Any]]:
    """The settings in which new jobs of one kind differ: by key path, the value of each job."""
    said = [{path: value for file in change.files for path, value in file.said.items()} for change in changes]
    values = {path: [one.get(path, MISSING) for one in said] for path in (said[0] if said else ())}
    return {path: found for path, found in values.items() if any(repr(one) != repr(found[0]) for one in found)}


def stacks_of(changes: Sequence[JobChange]) -> Mapping[str, list[str]]:
    """The jobs of each set, by its name."""
    found: dict[str, list[str]] = {}
    for change in changes:
        found.setdefault(change.of.name, []).append(change.job)
    return found


def reading_order(name: str) -> tuple[bool, str]:
    """By this the files of a job are told: a composed config last, since most of what it says another one has said."""
    return name == COMPOSED_FILE, name


def _text(content: bytes) -> str:
    return content.decode(errors="backslashreplace")
