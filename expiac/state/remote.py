"""The states of a project that keeps them in a store, which it shares with others."""

from __future__ import annotations

from expiac.declare.project import Project
from expiac.state.journal import Journal
from expiac.state.lineage import lineage
from expiac.state.log import StateLog
from expiac.state.object_log import ObjectLog
from expiac.state.object_store import Store
from expiac.state.replay import Reading
from expiac.state.replay_cache import replay_cache


class Remote:
    """States in a store that is shared with others."""

    def __init__(self, project: Project) -> None:
        self._store, self._folder = Store(project.state_url), project.state_folder

    @property
    def place(self) -> str:
        """Where they are, for messages."""
        return self._store.url

    def names(self) -> list[str]:
        """The stacks that have a state."""
        return self._store.names()

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
        return ObjectLog(self._store, stack)
