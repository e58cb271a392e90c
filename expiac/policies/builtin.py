"""What a team allows: functions of a plan, each of which may warn or refuse. The shipped ones, and how to write others.

A policy is called with the plan, priced, and the project, and yields its verdicts; none means that all is well.

    def no_eight_gpus(plan, project):
        for step in plan.steps:
            if step.action.launches and step.desired.inputs.get("gpus") == 8:
                yield Refuse("eight GPUs are for the night", step.address)
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from expiac.declare.job import Job, accelerators
from expiac.declare.override_words import words_of
from expiac.declare.project import Project
from expiac.declare.training import TrainingJob
from expiac.plan import cost, formatting
from expiac.plan.diff import diff
from expiac.plan.kinds import CONFIG
from expiac.plan.model import Plan, Step
from expiac.providers.registry import Providers
from expiac.review.renderings import is_composed_elsewhere, reviewed_files
from expiac.util.errors import ExpiacError
from expiac.util.git import git
from expiac.util.gpus import parse_gpus
from expiac.util.render import parse


@dataclass(frozen=True, slots=True)
class Warn:
    """The plan may go on; whoever reads it is told."""

    message: str
    address: str = ""
    """Of the resource that is meant; empty where it is the whole plan."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The plan may not be carried out."""

    message: str
    address: str = ""


Policy = Callable[[Plan, Project], Iterable[Warn | Refuse]]


def budget(dollars: float) -> Policy:
    """Refuses a plan whose running jobs may cost more together, or of which nobody can say."""

    def policy(plan: Plan, project: Project) -> Iterator[Refuse]:
        try:
            cost.refuse_over(dollars, plan)
        except ExpiacError as error:
            yield Refuse(error.detail)

    return policy


def max_gpus(count: int) -> Policy:
    """Refuses a plan after which more GPUs would be asked for, all nodes of all its running jobs together."""

    def policy(plan: Plan, project: Project) -> Iterator[Refuse]:
        wanted = {step.address: _gpus(step) for step in _jobs(plan.steps, project) if cost.will_run(step)}
        if (total := sum(wanted.values())) > count:
            most = max(wanted, key=lambda address: wanted[address])
            yield Refuse(f"{total} GPUs, and {count} are allowed; {most} asks for {wanted[most]}")

    return policy


def spot_only(on: bool = True) -> Policy:
    """Refuses to launch jobs on machines of others that are not preemptible."""

    def policy(plan: Plan, project: Project) -> Iterator[Refuse]:
        providers = Providers(project)
        for step in _jobs_to_launch(plan, project) if on else ():
            rents = step.desired is None or providers.rents_machines(step.desired.provider)
            if rents and not _inputs(step).get("spot"):
                yield Refuse("not on spot machines: spot=True", step.address)

    return policy


def required_tags(*patterns: str) -> Policy:
    """Refuses to launch jobs without a tag for each pattern, such as `team:*`."""

    def policy(plan: Plan, project: Project) -> Iterator[Refuse]:
        for step in _jobs_to_launch(plan, project):
            tags = [str(tag) for tag in _inputs(step).get("tags") or ()]
            missing = [pattern for pattern in patterns if not any(fnmatchcase(tag, pattern) for tag in tags)]
            if missing:
                yield Refuse(f"has no tag {', '.join(missing)}", step.address)

    return policy


def reviewed_snapshots(folder: str = "snapshots") -> Policy:
    """Refuses to launch jobs whose rendered files and composed config are not committed as they are, in
    `<folder>/<stack>/<job>.<file>`.

    `expiac render STACK --out <folder>/<stack>` writes them there.
    """

    def policy(plan: Plan, project: Project) -> Iterator[Warn | Refuse]:
        launched = [step.desired for step in _jobs_to_launch(plan, project) if step.desired and step.desired.texts]
        if not launched:
            return
        place = project.root / folder / plan.stack
        committed = _committed_snapshot(project.root, place)
        for want in launched:
            if is_composed_elsewhere(want, project):
                yield Warn("its config is composed only where it runs: no snapshot shows the defaults", want.address)
            for name, text in reviewed_files(want, project, plan.stack).items():
                file = place / f"{want.address}.{name}"
                shown = file.relative_to(project.root)
                if difference := _difference(file, text):
                    yield Refuse(f"{shown} is not what would be launched{difference}: "
                                 f"{_render_command(plan, folder)}", want.address)
                elif file not in committed:
                    yield Refuse(f"{shown} is not committed, and so not reviewed", want.address)

    return policy


SHIPPED: Mapping[str, Callable[..., Policy]] = {
    "budget": budget, "max_gpus": max_gpus, "spot_only": spot_only, "required_tags": required_tags,
    "reviewed_snapshots": reviewed_snapshots}
"""By the names that `[tool.expiac.policies]` knows."""
PRICED = "budget"
"""The one that goes by prices."""


def _jobs_to_launch(plan: Plan, project: Project) -> list[Step]:
    return [step for step in _jobs(plan.steps, project) if step.action.launches]


def _jobs(steps: Iterable[Step], project: Project) -> list[Step]:
    """Those whose provider is a backend, and runs jobs; what a project does not know counts as a job."""
    providers = Providers(project)
    return [step for step in steps
            if step.desired is None or step.desired.provider not in providers
            or providers.runs_jobs(step.desired.provider)]


def _inputs(step: Step) -> Mapping[str, Any]:
    return step.desired.inputs if step.desired is not None else {}


_DEFAULT_GPUS = {kind.type: kind.default_gpus for kind in (Job, TrainingJob)}


def _gpus(step: Step) -> int:
    """GPUs of all nodes; of a job on this machine too."""
    inputs = _inputs(step)
    asked = accelerators(inputs.get("gpus", _DEFAULT_GPUS.get(step.type, 0)), "") or "0"
    return parse_gpus(asked).number * int(inputs.get("nodes", 1))


def _committed_snapshot(root: Path, folder: Path) -> set[Path]:
    """The files of a folder that stand in the last commit as they are here; none where git knows nothing of it."""
    tracked = git(root, "ls-files", "-z", "--", str(folder))
    changed = git(root, "diff", "--name-only", "-z", "HEAD", "--", str(folder))
    top = git(root, "rev-parse", "--show-toplevel")
    if tracked is None or changed is None or top is None:
        return set()
    here = {root / os.fsdecode(name) for name in tracked.split(b"\0") if name}
    return here - {Path(os.fsdecode(top.rstrip(b"\n"))) / os.fsdecode(name) for name in changed.split(b"\0") if name}


def _difference(file: Path, text: str) -> str:
    """In parentheses how a snapshot differs from the text; empty where it does not."""
    try:
        before = file.read_bytes()
    except OSError:
        return " (there is no such file)"
    if before == text.encode():
        return ""
    try:
        old, new = (parse(part, file.name) for part in (before.decode(), text))
    except (ExpiacError, UnicodeDecodeError):
        return " (it reads otherwise)"
    changes = diff({CONFIG: old}, {CONFIG: new}, {})
    if not changes:
        return " (it reads otherwise)"
    first, others = changes[0], len(changes) - 1
    values = f"{first.path}: {formatting.value(first.before)} → {formatting.value(first.after)}"
    return f" ({values}{f', and {others} more' if others else ''})"


def _render_command(plan: Plan, folder: str) -> str:
    """The command that writes the snapshots of the plan, to be pasted."""
    program = plan.program or plan.stack
    return shlex.join(["expiac", "render", program, *words_of(plan.overrides), "--out", f"{folder}/{plan.stack}"])
