"""Finds a stack by its state alone: its program may be broken, moved or deleted."""

from __future__ import annotations

from pathlib import Path

from expiac.errors import UsageError, did_you_mean
from expiac.journal import Journal
from expiac.project import Project


def stack_of(project: Project, name: str | None) -> str:
    """The stack that `name` means: its own name, or the file that declared it; None where only one has a state."""
    stacks = {file.stem: file for file in sorted(project.state_folder.glob("*.jsonl"))}
    if name is None:
        if len(stacks) == 1:
            return next(iter(stacks))
        raise UsageError("Which stack?", f"{len(stacks)} stacks have a state in {project.state_folder}",
                         f"known: {', '.join(stacks)}" if stacks else "expiac apply makes one")
    stem = Path(name).stem
    if stem in stacks:
        return stem
    own = [stack for stack, file in stacks.items() if Path(Journal.read(file).header.program).stem == stem]
    if len(own) == 1:
        return own[0]
    if own:
        raise UsageError("Which stack?", f"{name} declared {len(own)} of them", f"known: {', '.join(own)}")
    raise UsageError("No such stack", f"nothing called {name} has a state in {project.state_folder}",
                     did_you_mean(stem, stacks) if stacks else f"expiac apply {name}")
