"""Bounds how many jobs of a stack are live at once: which launches of a plan have to wait. Pure.

A job that is replaced or moved while it is live hands its place on. A place that a stop makes free is taken once the
stop has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from expiac.plan.deferring import defer, without_waits
from expiac.plan.model import Action, Plan, Step
from expiac.state.model import Record, State
from expiac.state.status import Status


def bound_running(plan: Plan, state: State, bound: int | None) -> Plan:
    """The plan, in which launches beyond the bound wait until a run has ended."""
    if bound is None:
        return plan
    steps = {step.address: step for step in plan.steps}
    ending = [step for step in plan.steps if _ends(step) and not _comes_after_launches(step, steps)]
    free = bound - _count_live(plan, state) - len(ending)
    waiting: set[str] = set()
    for step in plan.steps:
        if not _needs_place(step):
            continue
        if free > 0:
            free -= 1
        elif ending:
            stop = ending.pop(0)
            steps[step.address] = replace(step, after=tuple(dict.fromkeys((*step.after, stop.address))))
        else:
            places = f"{bound} {'job runs' if bound == 1 else 'jobs run'}"
            steps[step.address] = defer(step, f"waits for a place: at most {places} at once")
            waiting.add(step.address)
    bounded = tuple(without_waits(step, waiting) for step in steps.values())
    return replace(plan, steps=bounded, max_running=bound)


def first_to_run(ready: Sequence[Step], state: State, bound: int | None) -> tuple[Step, ...]:
    """Those of the steps that may begin now, the first ones first."""
    if bound is None:
        return tuple(ready)
    free = bound - sum(_is_live_job(record) for record in state.records.values())
    begun: list[Step] = []
    for step in ready:
        if _needs_place(replace(step, record=state.records.get(step.address))):
            free -= 1
            if free < 0:
                continue
        begun.append(step)
    return tuple(begun)


def _count_live(plan: Plan, state: State) -> int:
    """The jobs that are live before anything of the plan has ended, and those that come to be live without a launch."""
    live = sum(_is_live_job(record) for record in state.records.values())
    for step in plan.steps:
        back = step.action is Action.RESTORE and step.restores is not None and step.restores.status.is_live
        if (back or step.adopts) and not _hands_place_on(step):
            live += 1
        if step.action is Action.FORGET and step.record is not None and _is_live_job(step.record):
            live -= 1  # it goes on, and is no job of the stack any more
    return live


def _is_live_job(record: Record) -> bool:
    """A thing that exists until it is deleted is no job."""
    return record.status.is_live and record.status is not Status.READY


def _needs_place(step: Step) -> bool:
    is_job = step.desired is not None and step.desired.completes
    return is_job and step.action.launches and not step.adopts and not step.deferred and not _hands_place_on(step)


def _hands_place_on(step: Step) -> bool:
    return step.record is not None and _is_live_job(step.record)


def _ends(step: Step) -> bool:
    return step.action is Action.STOP and step.record is not None and _is_live_job(step.record)


def _comes_after_launches(step: Step, steps: Mapping[str, Step]) -> bool:
    """Whether a stop waits for a launch, which then can't wait for the stop."""
    before = [steps[name] for name in step.after if name in steps]
    return any(one.action.launches or _comes_after_launches(one, steps) for one in before)
