"""Checks before an apply that a plan still holds: the runs that it touches, and the files that it sends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from expiac.compile.compose import Composer, experiment_text, is_composed
from expiac.compile.content import content_of, tree_digest
from expiac.declare.project import Project
from expiac.plan import formatting as inline
from expiac.plan.diff import diff
from expiac.plan.matching import Archive
from expiac.plan.model import Action, Desired, Plan, Step
from expiac.state.model import Record, State
from expiac.state.status import Status
from expiac.util.errors import Stale
from expiac.util.git import refuse_unpushed


def refuse_changed_runs(plan: Plan, now: State) -> None:
    """Raises `Stale` where a run that the plan touches is not as it was."""
    for step in plan.steps:
        if step.action is Action.KEEP or step.record is None:
            continue
        was, found = step.record.status.value, _status_text(now.records.get(step.renames or step.address))
        if found != was:
            raise Stale("Stale plan", f"{step.address} was {was} when it was planned, and is {found}",
                        f"expiac plan {plan.stack}")


def refuse_moved_runs(plan: Plan, before: State, now: State) -> None:
    """Raises `Stale` where another run stands at an address than when it was planned, or one has ended or come back.

    Neither a launch that was found to be made already is a contradiction, nor a run that the plan ends and that has
    ended meanwhile: `without_ended_runs` makes the plan fit.
    """
    steps = {step.address: step for step in plan.steps if not step.renames}
    steps |= {step.renames: step for step in plan.steps if step.renames}
    for address in before.records.keys() | now.records.keys():
        step = steps.get(address)
        was, found = before.records.get(address), now.records.get(address)
        if (was and was.run) == (found and found.run):
            if step is None or _is_live(was) == _is_live(found) or _allows(step, found):
                continue
        elif step is not None and _is_done(step, found):
            continue
        detail = f"{address} was {_status_text(was)} when it was planned, and is {_status_text(found)}"
        raise Stale("Stale plan", detail, f"expiac plan {plan.stack}")


def without_ended_runs(plan: Plan, now: State) -> tuple[Plan, tuple[Step, ...]]:
    """The plan for what runs now, and the steps that need nothing any more since their run has ended.

    A killed process may have told a run to end that was still alive when this plan was made. Once it has ended, a stop
    is done, a replacement has only to be created, and a relaunch only to be launched.
    """
    steps = tuple(_step_now(step, now.records.get(step.renames or step.address)) for step in plan.steps)
    stopped = tuple(step for step in steps
                    if step.action is Action.STOP and (step.renames or step.address) not in now.records)
    return replace(plan, steps=steps).without(stopped), stopped


def _step_now(step: Step, found: Record | None) -> Step:
    if step.action is Action.REPLACE and found is None:
        return replace(step, action=Action.CREATE, record=None)
    if step.restores is not None:
        return replace(step, record=found)
    if step.action is Action.RELAUNCH and found is not None and found.status is Status.STOPPED:
        return replace(step, record=found)
    return step


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
    for type in dict.fromkeys(want.type for want in launched):
        of_type, own = [want for want in launched if want.type == type], project.of_resource(type)
        texts = {want.address: text for want in of_type if (text := experiment_text(want.texts)) is not None}
        if texts and is_composed(own):
            composed = Composer(own).compose(texts)
            for want in (want for want in of_type if want.address in composed):
                _compare(want, "config", want.inputs["config"], composed[want.address].config)


def refuse_lost_runs(plan: Plan, archive: Archive) -> None:
    """Raises `Stale` where a run of the past that is to stand again, or to go on, no longer can."""
    restored = [step.restores for step in plan.steps if step.restores is not None]
    for instance, why in (archive.obstacles(restored) if restored else {}).items():
        raise Stale("Stale plan", f"{instance} was to be used again, {why}", f"expiac plan {plan.stack}")


def refuse_unchecked(plan: Plan, project: Project) -> None:
    """Raises `ExpiacError` if a job with `git_check` would be launched from a tree that is not committed and pushed."""
    for step in plan.steps:
        if step.action.launches and not step.adopts and step.desired is not None and step.desired.git_check:
            refuse_unpushed(project.root, step.address, apart_from=project.state_folder)
            return


def _is_done(step: Step, found: Record | None) -> bool:
    """Whether what a step is about to do has been done since it was planned: a launch, or the end of a run."""
    if found is None:
        return step.action is Action.STOP or step.displaces
    return step.action.launches and found.run == step.run


def _allows(step: Step, found: Record | None) -> bool:
    """Whether a step may be carried out although its run has ended or come back since it was planned.

    A run that is to be ended may have ended: it is archived as it would have been a moment later. One that is to be
    launched again has to have been stopped for that; if it ended by itself, its result may stand.
    """
    match step.action:
        case Action.KEEP:
            return True
        case _ if step.action is Action.STOP or step.displaces:
            return not _is_live(found)
        case Action.RELAUNCH:
            return found is not None and found.status is Status.STOPPED
        case _:
            return False


def _is_live(record: Record | None) -> bool:
    return record is not None and record.status.is_live


def _status_text(record: Record | None) -> str:
    if record is None:
        return "gone"
    return f"not to be seen: {record.unseen}" if record.unseen else record.status.value


def _compare(want: Desired, key: str, planned: Any, now: Any) -> None:
    if changes := diff({key: planned}, {key: now}, {}):
        change = changes[0]
        raise Stale("Stale plan", f"{want.address}, since it was planned: {change.path}: "
                    f"{inline.value(change.before)} → {inline.value(change.after)}", "expiac plan")
