"""Decides which sweeps end early: too many of their trials have failed, or their budget is spent. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from expiac.plan.budgets import Budgets, in_sweep, may_pause
from expiac.plan.deferring import pause
from expiac.plan.model import Action, Plan, Step
from expiac.state.facts import SweepFacts
from expiac.state.model import Record, State
from expiac.state.status import Status


@dataclass(frozen=True, slots=True)
class EndedSweep:
    """A sweep of which no further trial is begun."""

    name: str
    why: str
    """`lr ends early: 3 of its runs failed, and max_failures is 2`."""
    failed: tuple[Record, ...] = ()
    """The runs that failed, where that is the reason."""
    stops_runs: bool = False
    """What runs is stopped too, to go on once there is more of the budget."""

    def has(self, address: str) -> bool:
        """Whether a resource stands in the sweep."""
        return in_sweep(address, self.name)


def ended_sweeps(sweeps: Mapping[str, SweepFacts], state: State,
                 max_failures: int | None = None) -> tuple[EndedSweep, ...]:
    """The sweeps of which more trials have failed than may; `max_failures` counts before what each declares.

    What somebody cancelled, and what a search pruned, has not failed.
    """
    ended = []
    for name, facts in sweeps.items():
        bound = facts.max_failures if max_failures is None else max_failures
        if bound is None:
            continue
        failed = tuple(record for address, record in state.records.items()
                       if in_sweep(address, name) and _has_failed(record))
        if len(failed) > bound:
            why = f"{name} ends early: {len(failed):,} of its runs failed, and max_failures is {bound:,}"
            ended.append(EndedSweep(name, why, failed))
    return tuple(ended)


def overspent_sweeps(plan: Plan, budgets: Budgets) -> tuple[EndedSweep, ...]:
    """The sweeps of a plan whose budget is spent, without those that it leaves out."""
    return tuple(EndedSweep(name, f"{name} ends early: {why}", stops_runs=True) for name, why in budgets.spent.items()
                 if (name in plan.searches or any(in_sweep(step.address, name) for step in plan.steps))
                 and not any(in_sweep(address, name) for address in plan.left_out))


def stops_of(ended: Sequence[EndedSweep], state: State) -> tuple[Step, ...]:
    """Steps that take the trials of ended sweeps back which wait in a queue, and of some sweeps those that run."""
    return tuple(step for sweep in ended for address, record in state.records.items()
                 if sweep.has(address) and (step := _stop(sweep, record)) is not None)


def _stop(sweep: EndedSweep, record: Record) -> Step | None:
    if sweep.stops_runs:
        return pause(record, sweep.why) if may_pause(record) else None
    if record.status is not Status.PENDING or record.pending:
        return None
    return Step(record.address, record.type, Action.STOP, sweep.why, record.run, record=record,
                depends_on=record.depends_on)


def _has_failed(record: Record) -> bool:
    was_pruned = record.outcome is not None and record.outcome.state == "pruned"
    return record.status in (Status.FAILED, Status.LOST) and not was_pruned
