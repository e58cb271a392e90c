"""Finds a stack by its state alone: its program may be broken, moved or deleted."""

from __future__ import annotations

from pathlib import Path

from expiac.declare.project import Project
from expiac.state.journal import Journal
from expiac.state.model import Record, State
from expiac.state.stores import states
from expiac.util.errors import ExpiacError, UsageError, did_you_mean


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
    if _is_declared(project, name):
        raise UsageError("No such stack", f"{name} was never applied: it has no state in {known.place}",
                         f"expiac apply {name}")
    raise UsageError("No such stack", f"nothing called {name} has a state in {known.place}",
                     did_you_mean(stem, stacks) if stacks else "expiac stacks lists the stacks of this project")


def _is_declared(project: Project, name: str) -> bool:
    """Whether there is a stack file of that name, whatever it declares."""
    return Path(name).is_file() or (project.root / project.stacks / f"{Path(name).stem}.py").is_file()


def stacks_of(project: Project, name: str | None) -> list[str]:
    """The stack that `name` means; where it is None, all that have a state, of which there has to be one."""
    if name is None and (stacks := states(project).names()):
        return stacks
    return [stack_of(project, name)]


def latest(state: State, address: str) -> Record | None:
    """The record that stands at an address, or the last one that did; None where there was none."""
    if (record := state.records.get(address)) is not None:
        return record
    return next((record for record in reversed(state.history) if record.address == address), None)


def refuse_second_program(project: Project, journal: Journal, program: str) -> None:
    """Raises where the stack was last applied from another program that is still there; `program` is a path."""
    last = journal.state.approved
    recorded = last.program if last and last.program else journal.header.program
    if not program or not recorded or recorded == program:
        return
    if (project.root / recorded).exists():
        raise ExpiacError("Another program has this stack's name", f"{journal.header.stack} belongs to {recorded}, and "
                          f"{program} gives the same name", "name=another_name, or change the config's name")
