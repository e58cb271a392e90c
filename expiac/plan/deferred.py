"""Decides about deferred steps while an apply waits: which can begin, which wait on, which will never begin. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from expiac.plan.model import Plan, Step
from expiac.state.model import Record, State


@dataclass(frozen=True, slots=True)
class Outlook:
    """What becomes of deferred steps."""

    ready: tuple[Step, ...]
    waiting: tuple[Step, ...]
    blocked: tuple[tuple[Step, str], ...]
    """Each with the reason why it will never begin."""
    done: tuple[Step, ...] = ()
    """What another command has launched meanwhile."""


def outlook(deferred: Sequence[Step], plan: Plan, state: State) -> Outlook:
    """Sorts the deferred steps by the status of the runs that they wait for."""
    meant = {step.address: step.run.instance for step in plan.steps}
    to_come = {step.address for step in deferred}
    ready: list[Step] = []
    waiting: list[Step] = []
    blocked: list[tuple[Step, str]] = []
    done: list[Step] = []
    for step in deferred:  # in the plan's order: what a step needs was decided before it
        found = state.records.get(step.address)
        if found is not None and found.run == step.run:
            (waiting if found.pending else done).append(step)  # whoever began it may have been killed before its launch
            to_come.remove(step.address)
            continue
        # At the address of a run that is still to come, the state has the run before it.
        upstream = {name: _record(name, meant, state) for name in step.depends_on if name not in to_come}
        why = _why_out_of_place(step, found, state)
        if why := why or next(filter(None, map(_why_never, upstream, upstream.values())), ""):
            blocked.append((step, why))
            to_come.remove(step.address)
        elif len(upstream) == len(step.depends_on) and all(one and one.is_met for one in upstream.values()):
            ready.append(replace(step, record=found, deferred=False, after=()))
        else:
            waiting.append(step)
    return Outlook(tuple(ready), tuple(waiting), tuple(blocked), tuple(done))


def _why_out_of_place(step: Step, found: Record | None, state: State) -> str:
    """Why the step no longer fits what stands at its address, where another command was at work; empty where it does.

    The plan may be hours old: what it was to end, to replace or to bring back has to be there still.
    """
    planned = step.record
    if (found and found.run) != (planned and planned.run):
        return f"{found.run.instance} stands there now" if found else "what stood there is gone"
    archived = next((record for record in reversed(state.history) if record.run.instance == step.run.instance), None)
    if step.restores is not None and (archived is None or archived.run != step.restores.run or archived.pruned_at):
        return f"{step.restores.run.instance} is no longer in the history"
    if step.restores is None and archived is not None:
        return f"{step.run.instance} was launched meanwhile, and archived"
    return ""


def _record(name: str, meant: Mapping[str, str], state: State) -> Record | None:
    """The record of the run that the plan means by the name."""
    record = state.records.get(name)
    return record if record is not None and record.run.instance == meant[name] else None


def _why_never(name: str, record: Record | None) -> str:
    if record is None:
        return f"{name} was not done"
    may_come = record.status.is_met or record.status.is_live or not record.is_judged
    return "" if may_come else f"{name} {record.status.value}"
