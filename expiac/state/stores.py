"""Where a project keeps its states: files in its own folder, or objects in a store, of which `remote` knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from expiac.declare.project import Project
from expiac.state.journal import Journal
from expiac.state.lineage import lineage
from expiac.state.replay import Reading
from expiac.util.durable import Disk
from expiac.util.lock import Lock


class States(Protocol):
    """All states of one project."""

    @property
    def place(self) -> str: ...

    def names(self) -> list[str]: ...

    def read(self, stack: str) -> Reading: ...

    def open(self, stack: str, program: str = "") -> Journal: ...

    def lock(self, stack: str, *, purpose: str, wait_seconds: float = 0.0) -> AbstractContextManager[object]: ...

    def file(self, stack: str) -> AbstractContextManager[tuple[Path, Disk]]: ...


def states(project: Project) -> States:
    """Those of a project, wherever it keeps them."""
    if not project.state_url:
        return Local(project)
    from expiac.state.remote import Remote

    return Remote(project)


class Local:
    """States in the project's own folder."""

    def __init__(self, project: Project) -> None:
        self._folder = project.state_folder

    @property
    def place(self) -> str:
        """Where they are, for messages."""
        return str(self._folder)

    def names(self) -> list[str]:
        """The stacks that have a state."""
        return sorted(file.stem for file in self._folder.glob("*.jsonl"))

    def read(self, stack: str) -> Reading:
        """What a state says, without a lock."""
        return Journal.read(self._path(stack))

    def open(self, stack: str, program: str = "") -> Journal:
        """The journal of a stack; an empty one where there is no state yet."""
        return Journal.open(self._path(stack), stack=stack, program=program, lineage=lineage(self._folder, stack))

    def lock(self, stack: str, *, purpose: str, wait_seconds: float = 0.0) -> Lock:
        """The right to write it."""
        return Lock(self._path(stack).with_suffix(".lock"), purpose=purpose, wait_seconds=wait_seconds)

    @contextmanager
    def file(self, stack: str) -> Iterator[tuple[Path, Disk]]:
        """The state's file, to be repaired or replaced under the lock."""
        yield self._path(stack), Disk()

    def _path(self, stack: str) -> Path:
        return self._folder / f"{stack}.jsonl"
