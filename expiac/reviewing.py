"""Renders stacks and compares them with their snapshots: what there is to review."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from expiac.apply.events import Silent
from expiac.declare.program import Program, find_stack_file, load, stack_files
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
    outside: dict[SnapshotSet, str] = {}
    kept = snapshots.sets()
    # Refuses a name that means no file, before anything is rendered; two names of one file are one stack.
    named = {find_stack_file(project, name): name for name in stacks}
    for name in list(named.values()) or stack_files(project):
        try:
            declared = load(project, name, overrides)
        except ExpiacError as error:
            errors[name] = _said(error)
            continue
        stack_name, program = declared.stack.name, path_outside(project, declared)
        if stack_name in known:  # as an apply refuses it: the snapshots are those of the other file
            errors[name] = f"Duplicate name: another stack file declares {stack_name} too"
            continue
        known.add(stack_name)
        sets = [SnapshotSet(stack_name, tuple(overrides))]
        if not overrides:
            sets += [one for one in kept if one.stack == stack_name and one.overrides]
        for one in sets:
            outside |= {one: program} if program else {}
            try:
                stack = declared.stack if one is sets[0] else load(project, name, one.overrides).stack
                parts.append(compare(one, _render(project, name, one, stack), snapshots.read(one), program))
            except ExpiacError as error:
                errors[one.name] = _said(error)
    if not stacks:
        parts += _of_other_files(project, snapshots, [one for one in kept if one.stack not in known], errors, outside)
    return gather(parts, errors, outside)


def path_outside(project: Project, program: Program) -> str:
    """The path of a stack file that is not in the folder of the stacks; empty for one that is."""
    return "" if program.path in stack_files(project).values() else program.path_in(project)


def _of_other_files(project: Project, snapshots: Snapshots, sets: Sequence[SnapshotSet], errors: dict[str, str],
                    outside: dict[SnapshotSet, str]) -> Iterator[_Part]:
    """What changed in sets whose stacks no file in the folder of the stacks declares by itself.

    Notes what could not be rendered among the errors, and stack files outside that folder. While there are errors, what
    no file declares is not taken for removed: it may be what could not be rendered.
    """
    for one in sets:
        if program := snapshots.stack_file(one):
            try:
                yield _of_file_outside(project, snapshots, one, program)
                outside[one] = program
            except ExpiacError as error:
                errors[one.name] = _said(error)
    for one in [] if errors else [one for one in sets if one not in outside]:
        try:
            yield _of_other_name(project, snapshots, one)
        except ExpiacError as error:
            errors[one.name] = _said(error)


def _of_file_outside(project: Project, snapshots: Snapshots, which: SnapshotSet, program: str) -> _Part:
    """What changed in a set of a stack file outside the folder of the stacks.

    Raises `ExpiacError` where that file is gone or declares another stack: it may have been moved, and so nothing
    counts as removed.
    """
    path = project.root / program
    folder = snapshots.path(which, "")
    if not path.is_file():
        raise ExpiacError("No such stack", f"its file {program} is not there; review it by its path, or delete "
                          f"the folder {folder}")
    stack = load(project, str(path), which.overrides).stack
    if stack.name != which.stack:
        raise ExpiacError("No such stack", f"{program} declares {stack.name} now; if it has replaced {which.stack}, "
                          f"delete the folder {folder}")
    return compare(which, _render(project, str(path), which, stack), snapshots.read(which), program)


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


def _of_other_name(project: Project, snapshots: Snapshots, which: SnapshotSet) -> _Part:
    """What changed in a set of a stack that no file declares by itself.

    Its overrides may give it that name, as `name=arena_lr` does. If several files declare it under these, the one to
    which the fewest changes lead is meant; if none does any more, its files are removed.
    """
    found = snapshots.read(which)
    parts = [part for _, part in _parts_under(project, which, found)]
    return min(parts, key=_changes_in, default=compare(which, {}, found))


def nearest_stack_file(project: Project, snapshots: Snapshots, which: SnapshotSet) -> str:
    """The stem of the stack file that is meant by a set of a stack which no file declares by itself, as a review means
    it; empty where none declares it under the overrides of the set."""
    programs = [program for program, _ in _declared_under(project, which)]
    if len(programs) < 2:
        return programs[0] if programs else ""
    parts = _parts_under(project, which, snapshots.read(which))
    return min(parts, key=lambda part: _changes_in(part[1]))[0]


def _parts_under(project: Project, which: SnapshotSet, found: Mapping[str, bytes]) -> list[tuple[str, _Part]]:
    """What changed in a set by each stack file that declares its stack under its overrides."""
    return [(program, compare(which, _render(project, program, which, stack), found))
            for program, stack in _declared_under(project, which)]


def _changes_in(part: _Part) -> int:
    return len(part[0])


def _declared_under(project: Project, which: SnapshotSet) -> Iterator[tuple[str, Stack]]:
    """The stack files that declare the stack of a set under its overrides; none where it has no overrides."""
    for name in stack_files(project) if which.overrides else ():
        try:
            stack = load(project, name, which.overrides).stack
        except ExpiacError:
            continue  # this file has no such settings
        if stack.name == which.stack:
            yield name, stack


def _said(error: ExpiacError) -> str:
    return f"{error.summary}: {error.detail}".rstrip(": ")

