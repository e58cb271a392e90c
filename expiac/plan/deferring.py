"""Puts things off: launches that have to wait, and runs that are stopped to go on later. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

from expiac.plan.model import Action, Step
from expiac.state.model import Record


def defer(step: Step, why: str) -> Step:
    """The step, which waits."""
    return replace(step, deferred=True, reason=f"{step.reason}; {why}" if step.reason else why)


def without_waits(step: Step, deferred: AbstractSet[str]) -> Step:
    """What can be done now does not wait for what is deferred."""
    if step.deferred or deferred.isdisjoint(step.after):
        return step
    return replace(step, after=tuple(name for name in step.after if name not in deferred))


def pause(record: Record, why: str) -> Step:
    """The step that stops a run which goes on from its checkpoint once it is launched again."""
    return Step(record.address, record.type, Action.STOP, why, record.run, record=record, depends_on=record.depends_on,
                pauses=True)
