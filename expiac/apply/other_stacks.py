"""What the recorded states of a project's other stacks say: read once each, and asked of the backends where need be.

Writes nothing: what a look finds of another stack is for its own commands to record.
"""

from __future__ import annotations

from expiac.apply.refresh import query
from expiac.declare.project import Project
from expiac.providers.registry import Providers
from expiac.state.model import State
from expiac.state.stores import states
from expiac.util.errors import ExpiacError, did_you_mean


class OtherStacks:
    """The states of one moment; make another one to look again."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._states: dict[str, State] = {}
        self._observed: dict[str, State] = {}

    def state(self, stack: str, *, summary: str = "No such stack") -> State:
        """The recorded state of a stack. Raises `ExpiacError` with that summary where there is none."""
        if stack not in self._states:
            store = states(self.project)
            names = store.names()
            if stack not in names:
                raise ExpiacError(summary, f"there is no state of a stack {stack}",
                                  did_you_mean(stack, names) or f"expiac apply {stack}")
            self._states[stack] = store.read(stack).state
        return self._states[stack]

    def observed(self, stack: str) -> State:
        """The state as the backends see it now: a run may have ended that nobody has looked at since."""
        if stack not in self._observed:
            state = self.state(stack)
            self._observed[stack] = query(state, Providers(self.project)).applied_to(state)
        return self._observed[stack]
