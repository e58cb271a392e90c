"""Where a project keeps its states: files in its own folder, or objects in a store, of which `remote` knows."""

from __future__ import annotations

from typing import Protocol

from expiac.declare.project import Project
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.state.lineage import lineage
from expiac.state.log import StateLog
from expiac.state.replay import Reading
from expiac.state.replay_cache import replay_cache


class States(Protocol):
    """All states of one project."""

    @property
    def place(self) -> str: ...

    def names(self) -> list[str]: ...

    def read(self, stack: str) -> Reading: ...

    def open(self, stack: str, program: str = "") -> Journal: ...

    def log(self, stack: str) -> StateLog: ...


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
        return Journal.read(self.log(stack), kept=replay_cache(self._folder, stack))

    def open(self, stack: str, program: str = "") -> Journal:
        """The journal of a stack; an empty one where there is no state yet."""
        new_lineage = lineage(self._folder, stack)
        return Journal.open(self.log(stack), stack=stack, program=program, lineage=new_lineage,
                            kept=replay_cache(self._folder, stack))

    def log(self, stack: str) -> StateLog:
        """What a state is written to: to be locked, repaired or replaced."""
        return FileLog(self._folder / f"{stack}.jsonl")
