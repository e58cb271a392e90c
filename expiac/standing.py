"""What a plan stands on, looked at again before it is carried out: the runs that it touches, and the files it sends."""

from __future__ import annotations

from typing import Any

from expiac import inline
from expiac.compose import Composer
from expiac.diff import diff
from expiac.errors import Stale
from expiac.plan import Action, Desired, Plan
from expiac.prepare import content_of, tree_digest
from expiac.project import Project
from expiac.state import Record, State
from expiac.task import CONFIG_FILE


def refuse_changed_runs(plan: Plan, now: State) -> None:
    """Raises `Stale` where a run that the plan touches is not as it was."""
    for step in plan.steps:
        if step.action is Action.KEEP or step.record is None:
            continue
        was, found = step.record.status.value, _said(now.records.get(step.renames or step.address))
        if found != was:
            raise Stale("Stale plan", f"{step.address} was {was} when it was planned, and is {found}",
                        f"expiac plan {plan.stack}")


def refuse_changed_files(plan: Plan, project: Project) -> None:
    """Raises `Stale` where a file that a launch takes along, or a config that it is composed of, has changed."""
    launched = [step.desired for step in plan.steps if step.action.launches and step.desired is not None]
    mounted: dict[str, str] = {}
    code = tree_digest(project.root) if any("code" in want.inputs for want in launched) else ""
    for want in launched:
        for target, source in want.mounts.items():
            if source not in mounted:  # jobs often share a data set: it is read once
                mounted[source] = content_of(project.root, want.address, source)
            _compare(want, f"file_mounts.{target}", want.inputs["file_mounts"][target], mounted[source])
        if "code" in want.inputs:
            _compare(want, "code", want.inputs["code"], code)
    if project.schema and (texts := {want.address: want.texts[CONFIG_FILE] for want in launched
                                     if CONFIG_FILE in want.texts}):
        composed = Composer(project).compose(texts)
        for want in (want for want in launched if want.address in composed):
            _compare(want, "config", want.inputs["config"], composed[want.address].config)


def _said(record: Record | None) -> str:
    if record is None:
        return "gone"
    return f"not to be seen: {record.unseen}" if record.unseen else record.status.value


def _compare(want: Desired, key: str, planned: Any, now: Any) -> None:
    if changes := diff({key: planned}, {key: now}, {}):
        change = changes[0]
        raise Stale("Stale plan", f"{want.address}, since it was planned: {change.path}: "
                    f"{inline.value(change.before)} → {inline.value(change.after)}", "expiac plan")
