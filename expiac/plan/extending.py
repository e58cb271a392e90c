"""Decides which runs can go on from their checkpoint to a larger number of steps, in place of a new run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from expiac.declare.fields import Kind
from expiac.plan.model import Action, Change, Desired, Step
from expiac.state.events import Run
from expiac.state.model import Record, State


def longer_training(changes: Sequence[Change], total_steps: str) -> Change | None:
    """The change of `total_steps`, the key path of the number of steps, where nothing else needs a new run.

    None where it does not grow.
    """
    deciding = [change for change in changes if change.kind is Kind.IDENTITY]
    if len(deciding) != 1 or deciding[0].path != total_steps:
        return None
    before, after = deciding[0].before, deciding[0].after
    are_numbers = all(isinstance(value, int | float) for value in (before, after))
    return deciding[0] if are_numbers and 0 < before < after else None


def is_referred_to(record: Record, wanted: Iterable[Desired], state: State) -> bool:
    """Whether others use its result, which would be another one then; runs of the past may stand again."""
    by_declaration = any(ref.resource == record.address for want in wanted for ref in want.refs)
    others = (*state.records.values(), *state.history)
    return by_declaration or any(record.run.instance in other.upstream.values() for other in others)


def extending_step(record: Record, identity: str, change: Change, changes: tuple[Change, ...]) -> Step:
    """The step that launches the run again under its name, with the new number of steps."""
    run = Run(record.run.instance, identity, record.run.attempt, record.run.launch + 1)
    reason = f"{record.status.value}; goes on from its checkpoint, to {change.after} steps in place of {change.before}"
    return Step(record.address, record.type, Action.RELAUNCH, reason, run, changes, record=record)


def with_offer(step: Step, record: Record) -> Step:
    """The step that makes a new run, which says how the old one can go on instead."""
    offer = f"--extend {record.address} lets {record.run.instance} go on from its checkpoint instead"
    return replace(step, reason=f"{step.reason}; {offer}" if step.reason else offer)
