"""Renders stacks and compares them with their snapshots: what there is to review."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from expiac.apply.events import Silent
from expiac.declare.program import find_stack_file, load, stack_files
from expiac.declare.project import Project
from expiac.declare.stack import Stack
from expiac.review.changes import JobChange, Rendered, Review, compare, gather
from expiac.review.snapshots import Snapshots, SnapshotSet
from expiac.review.stateless import render
from expiac.session import Session
from expiac.util.errors import ExpiacError, UsageError

_Part = tuple[list[JobChange], int]


def review_of(project: Project, stacks: Sequence[str] = (), overrides: Sequence[str] = ()) -> Review:
    """What changed in the named stacks, or in all, and in each set of overrides that has snapshots.

    With overrides it is the one stack under these alone. What cannot be rendered is told among the errors.
    """
    snapshots = Snapshots(project)
    if overrides and len(stacks) != 1:
        raise UsageError("Which stack?", "overrides are those of one stack", "expiac review STACK KEY=VALUE")
    parts: list[_Part] = []
    errors: dict[str, str] = {}
    known: set[str] = set()
    for name in stacks:
        find_stack_file(project, name)  # refuses a name that means none, before anything is rendered
    for name in stacks or stack_files(project):
        try:
            declared = load(project, name, overrides).stack
        except ExpiacError as error:
            errors[name] = _said(error)
            continue
        known.add(declared.name)
        sets = [SnapshotSet(declared.name, tuple(overrides))]
        if not overrides:
            sets += [one for one in snapshots.sets() if one.stack == declared.name and one.overrides]
        for one in sets:
            try:
                stack = declared if one is sets[0] else load(project, name, one.overrides).stack
                parts.append(compare(one, _render(project, name, one, stack), snapshots.read(one)))
            except ExpiacError as error:
                errors[one.name] = _said(error)
    if not stacks and not errors:
        parts += _left(snapshots, known)
    return gather(parts, errors)


def _render(project: Project, program: str, which: SnapshotSet, stack: Stack) -> Rendered:
    """The texts of a stack, by what it declares alone: they are the same on each machine.

    Where that is not enough, since its files show what the states of other stacks say, by those as well.
    """
    try:
        return render(stack, project)
    except ExpiacError as error:
        try:
            with Session.open(program, which.overrides, reporter=Silent(), project=project) as session:
                return session.render()
        except ExpiacError:
            raise error from None


def _left(snapshots: Snapshots, known: Collection[str]) -> list[_Part]:
    """The snapshots of stacks that no file declares any more."""
    gone = [one for one in snapshots.sets() if one.stack not in known]
    return [compare(one, {}, found) for one in gone if (found := snapshots.read(one))]


def _said(error: ExpiacError) -> str:
    return f"{error.summary}: {error.detail}".rstrip(": ")

