"""A stack as a test sees it: what it declares, renders to and would do. Launches nothing, and knows no state."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from expiac.apply.events import Silent
from expiac.declare.override_words import word_of
from expiac.declare.program import Program, load, stack_files
from expiac.declare.project import Project, find_project
from expiac.declare.stack import Stack
from expiac.plan.model import Plan
from expiac.review.changes import Rendered
from expiac.review.snapshots import Snapshots, SnapshotSet
from expiac.review.stateless import render
from expiac.reviewing import nearest_stack_file, path_outside
from expiac.session import Session
from expiac.util.errors import ExpiacError

Overrides = str | Mapping[str, Any]


class Renderings(Mapping[str, str]):
    """The rendered files of a stack: `train/config.yaml` → its text. `@instance@` stands for the name of the run."""

    def __init__(self, which: SnapshotSet, by_job: Rendered, snapshots: Snapshots, stack_file: str = "") -> None:
        self.which, self.by_job, self.snapshots = which, by_job, snapshots
        self.stack_file = stack_file
        """The path of the stack file, where it is not in the folder of the stacks."""
        self._texts = {f"{job}/{file}": text for job, files in by_job.items()
                       for file, text in sorted(files.items())}

    def __getitem__(self, name: str) -> str:
        return self._texts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __repr__(self) -> str:
        return f"<renderings of {self.which.name}: {', '.join(self)}>"


@dataclass(frozen=True, repr=False)
class StackUnderTest:
    """A stack file under overrides."""

    program: Program
    which: SnapshotSet
    """Where its snapshots stand."""
    project: Project
    """The project, with an empty state."""

    def __repr__(self) -> str:
        return f"<stack {self.which.name}>"

    @property
    def config(self) -> Any:
        """The typed config; None where the file takes none."""
        return self.program.config

    @property
    def stack(self) -> Stack:
        """What the file declares."""
        return self.program.stack

    @cached_property
    def renderings(self) -> Renderings:
        """The rendered files of all jobs, composed configs among them."""
        return Renderings(self.which, render(self.stack, self.project), Snapshots(self.project),
                          path_outside(self.project, self.program))

    @cached_property
    def plan(self) -> Plan:
        """What a first apply would do, where there is no state. No backend is asked."""
        with Session(self.project, self.stack.name, Silent(), self.program, None) as session:
            return session.plan(refresh=False)


@dataclass(frozen=True, slots=True, repr=False)
class LoadStack:
    """Loads stacks of a project by their names, with overrides."""

    project: Project
    state: Path
    """An empty folder."""

    def __repr__(self) -> str:
        return f"<stacks of {self.project.root}>"

    def __call__(self, name: str | None = None, *overrides: Overrides) -> StackUnderTest:
        """The stack of a file, by its stem or path; None for the only one. Overrides as `"gpus=4"` or `{"gpus": 4}`."""
        __tracebackhide__ = True
        words = tuple(word for one in overrides for word in _words(one))
        try:
            program = load(self.project, name, words)
        except ExpiacError as error:
            raise error.with_traceback(None)  # noqa: B904  the frames in expiac say nothing; its cause has the user's
        return StackUnderTest(program, SnapshotSet(program.stack.name, words),
                              replace(self.project, state=str(self.state)))


def project_of(test_file: Path, root: Path) -> Project:
    """The project that a test file lies in, or that pytest's root folder lies in."""
    try:
        return find_project(test_file.parent)
    except ExpiacError as error:
        if error.code != "no-project-here":
            raise
        return find_project(root)


def cases(project: Project) -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """Each stack file and, besides, each set that has snapshots of its own: stack file and overrides, by a name.

    A set under overrides of which no file declares the stack has a test too, which fails as the set can't be loaded.
    """
    found: dict[str, tuple[str, tuple[str, ...]]] = {stem: (stem, ()) for stem in stack_files(project)}
    snapshots = Snapshots(project)
    sets = [(one, snapshots.stack_file(one)) for one in snapshots.sets()]
    if sets := [(one, program) for one, program in sets if one.overrides or program]:
        stems = {name: stem for stem in found if (name := _stack_name(project, stem))}
        for one, program in sets:
            if one.stack in stems:
                found |= {one.name: (stems[one.stack], one.overrides)} if one.overrides else {}
            else:
                path = str(project.root / program) if program else nearest_stack_file(project, snapshots, one)
                found[one.name] = (path or one.stack, one.overrides)
    return found


def _stack_name(project: Project, stem: str) -> str:
    """The name of the stack that a file declares; empty where it declares none: its own test says why."""
    try:
        return load(project, stem).stack.name
    except ExpiacError:
        return ""


def _words(overrides: Overrides) -> Iterator[str]:
    if isinstance(overrides, str):
        yield overrides
    else:
        for key, value in overrides.items():
            yield word_of(key, value if isinstance(value, str) else json.dumps(value))
