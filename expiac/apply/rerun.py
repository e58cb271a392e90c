"""Declares a run that was once launched anew: the same settings, from the code of its commit.

A rerun is a job of a stack of its own, `<stack>-reruns`, and is called `<job>-<the 8 hex of the run>`. So a plan of the
stack itself never sees it, and the same rerun, asked for twice, is there already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked_dataclass

from expiac.apply.code import project_code
from expiac.apply.stack_outputs import elsewhere
from expiac.compile.prepare import desired
from expiac.declare import program
from expiac.declare.fields import Kind
from expiac.declare.override_words import words_of
from expiac.declare.program import Program
from expiac.declare.project import Project, find_project
from expiac.declare.resource import Resource
from expiac.declare.stack import Stack
from expiac.plan import formatting
from expiac.plan.changes import changes_of_inputs
from expiac.plan.history import PastRun, names_of
from expiac.plan.model import Change
from expiac.util.errors import ExpiacError

_MOST_CHANGES = 5


@checked_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class OtherTree(Project):
    """A project in another working tree, whose states and runs stay in the folder of the checkout."""

    own_folder: Path = Path()

    @property
    def state_folder(self) -> Path:
        return self.own_folder


@dataclass(frozen=True, slots=True)
class Rerun:
    """What is to be planned."""

    program: Program
    address: str
    differences: tuple[Change, ...] = ()
    """The settings that the code does not make as they were; none unless that was allowed."""


def stack_of_reruns(past: PastRun) -> str:
    """The stack that holds the reruns of a run."""
    return past.stack if past.stack.endswith("-reruns") else f"{past.stack}-reruns"


def commit_of(past: PastRun) -> str:
    """The commit that the run was launched from; raises `ExpiacError` where that alone was not its code."""
    instance = past.record.run.instance
    known = past.approval.approved.provenance if past.approval is not None else {}
    present = "--anyway launches the present code"
    if not known.get("commit"):
        raise ExpiacError("Code not known", f"{instance}: no commit is recorded of its launch", present)
    if known.get("dirty", True):
        why = "was launched with changes that were not committed"
        raise ExpiacError("Code not committed", f"{instance} {why}" if known.get("dirty") else
                          f"{instance}: whether its tree had changes is not known", present)
    return str(known["commit"])


def other_code(past: PastRun, project: Project) -> tuple[str, ...]:
    """A warning if the run was launched with files besides those of the commit in whose tree the project is."""
    approved = past.approval.approved if past.approval is not None else None
    recorded = approved.provenance.get("code") if approved is not None else None
    if approved is None or not recorded or recorded == project_code(project, approved.program):
        return ()
    return (f"not the same code: {past.record.run.instance} was launched with files that its commit does not have",)


def project_in(tree: Path, project: Project) -> Project:
    """The project as it was in another working tree."""
    found = find_project(tree)
    if found.root != tree:
        raise ExpiacError("No project here", f"no pyproject.toml with [tool.expiac] in {tree}")
    fields = {name: getattr(found, name) for name in Project.__dataclass_fields__}
    fields["state"] = project.state if project.state_url else str(project.state_folder)
    return OtherTree(**fields, own_folder=project.state_folder)


def declare_rerun(past: PastRun, project: Project, name: str | None, *, any_settings: bool) -> Rerun:
    """The job to be planned, as the stack file of this project declares it with the settings of the approved plan.

    Raises `ExpiacError` where the settings are not those of the run, unless `any_settings` will do.
    """
    record, instance = past.record, past.record.run.instance
    if record.upstream or record.depends_on:
        needed = ", ".join({*record.upstream, *record.depends_on})
        raise ExpiacError("Run needs other runs", f"{instance} needs {needed}", "a rerun is of a run by itself")
    if past.approval is None or not past.approval.approved.program:
        raise ExpiacError("Code not known", f"{instance}: the plan that launched it is not recorded")
    approved = past.approval.approved
    if approved.program.startswith("<"):
        raise ExpiacError("Code not known", f"{instance} was launched by {approved.program}, and from no stack file")
    # The file of this project, and not one of that name where the command is run.
    loaded = program.load(project, str(project.root / approved.program), words_of(approved.overrides))
    resource, changes = _declared(loaded.stack, project, past, approved.program)
    if changes and not any_settings:
        shown = [f"{one.path}: {formatting.value(one.before)} → {formatting.value(one.after)}" for one in changes]
        raise ExpiacError("Settings not the same", "\n".join([
            f"{approved.program} does not declare {instance} with its settings any more:", *_first(shown)]),
            "--anyway launches the present code with these")
    address = name or f"{record.address}-{instance.rpartition('.')[2]}"
    # Never a run that is there already, under whatever name: a rerun is a second run of the same settings.
    options = replace(resource.options, reuse=False, aliases=(), ignore_changes=())
    job = replace(resource, name=address, options=options)
    return Rerun(Program(Path(f"<rerun of {instance}>"), None, Stack(stack_of_reruns(past), [job])), address, changes)


def _declared(stack: Stack, project: Project, past: PastRun, file: str) -> tuple[Resource, tuple[Change, ...]]:
    """The resource that declared the run, and how its settings differ: under which of its names that was is not known,
    so that the one is meant that differs least."""
    wanted = {want.address: want for want in desired(stack, project, elsewhere=elsewhere(project))}
    changes = {name: tuple(change for change in changes_of_inputs(past.record, wanted[name])
                           if change.kind is Kind.IDENTITY) for name in names_of(past) if name in wanted}
    if not changes:
        raise ExpiacError("No such resource", f"{file} declares no {past.record.address}",
                          f"expiac show {past.record.run.instance}")
    name = min(changes, key=lambda name: len(changes[name]))
    return next(resource for resource in stack.resources if resource.name == name), changes[name]


def _first(lines: Sequence[str]) -> list[str]:
    more = [f"and {len(lines) - _MOST_CHANGES} more"] if len(lines) > _MOST_CHANGES else []
    return [*lines[:_MOST_CHANGES], *more]
