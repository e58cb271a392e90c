"""Finds a stack by its state alone: its program may be broken, moved or deleted."""

from __future__ import annotations

from pathlib import Path

from expiac.declare.project import Project
from expiac.state.stores import states
from expiac.util.errors import UsageError, did_you_mean


def stack_of(project: Project, name: str | None) -> str:
    """The stack that `name` means: its own name, or the file that declared it; None where only one has a state."""
    known = states(project)
    stacks = known.names()
    if name is None:
        if len(stacks) == 1:
            return stacks[0]
        raise UsageError("Which stack?", f"{len(stacks)} stacks have a state in {known.place}",
                         f"known: {', '.join(stacks)}" if stacks else "expiac apply makes one")
    stem = Path(name).stem
    if stem in stacks:
        return stem
    own = [stack for stack in stacks if Path(known.read(stack).header.program).stem == stem]
    if len(own) == 1:
        return own[0]
    if own:
        raise UsageError("Which stack?", f"{name} declared {len(own)} of them", f"known: {', '.join(own)}")
    raise UsageError("No such stack", f"nothing called {name} has a state in {known.place}",
                     did_you_mean(stem, stacks) if stacks else f"expiac apply {name}")
