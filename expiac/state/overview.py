"""What is recorded of each stack of a project, in a few numbers, and which stack files were never applied."""

from __future__ import annotations

from dataclasses import dataclass

from expiac.declare.program import path_in, stack_files
from expiac.declare.project import Project
from expiac.state.looks import Looks
from expiac.state.model import State
from expiac.state.status import Status
from expiac.state.stores import states
from expiac.util.errors import ExpiacError


@dataclass(frozen=True, slots=True)
class StackSummary:
    """One stack, or a stack file that was never applied."""

    name: str = ""
    """The stack's own name; empty for a file without a state, since only the file itself can tell."""
    file: str = ""
    """Its program, from the project's root; empty where that is not known."""
    has_state: bool = False
    has_program: bool = False
    """Whether that file is there."""
    live: int = 0
    succeeded: int = 0
    failed: int = 0
    """Resources that failed, were cancelled or were lost."""
    applied_at: str = ""
    """When it was last applied, ISO 8601, UTC; empty where it never was."""
    as_of: str = ""
    """When the backends were last asked about those that have not ended; empty where there are none."""
    error: str = ""
    """Why its state could not be read."""


def summaries(project: Project) -> list[StackSummary]:
    """Each stack that has a state, by name, and then each stack file that has none."""
    store = states(project)
    known: list[StackSummary] = []
    for name in store.names():
        try:
            reading = store.read(name)
        except ExpiacError as error:
            known.append(StackSummary(name, has_state=True, error=f"{error.summary}: {error.detail}"))
            continue
        known.append(_summary(project, reading.state, reading.header.program))
    applied = {(project.root / one.file).resolve() for one in known if one.file}
    return known + [StackSummary(file=path_in(project, file), has_program=True)
                    for file in stack_files(project).values() if file.resolve() not in applied]


def _summary(project: Project, state: State, first_program: str) -> StackSummary:
    programs = [one.approved.program for one in state.approvals if one.approved.program]
    file = programs[-1] if programs else first_program
    statuses = [record.status for record in state.records.values()]
    return StackSummary(
        state.stack, file, has_state=True, has_program=bool(file) and (project.root / file).is_file(),
        live=sum(status.is_live for status in statuses), succeeded=statuses.count(Status.SUCCEEDED),
        failed=sum(status.is_failure for status in statuses),
        applied_at=state.approvals[-1].at if state.approvals else "",
        as_of=Looks(project, state.stack).as_of(state.records.values()))
